// Stage 2's changes: answers and places of points, shown at once, saved one by one, undone and redone by asking again.
import { announce, notice } from "./dom.js";

export class Answers {
  constructor(stage) {
    this.stage = stage;
    this.app = stage.app;
    this.asked = new Map(); // point id -> {wish, old}: the last wish on its way, and the point as the server had it
    this.held = new Map(); // point id -> place in a view while it is dragged
  }

  forget() {
    this.asked.clear();
    this.held.clear();
  }

  /** Where a point's answer is shown before the server has said where it is seen: {view, x, y}, or undefined. */
  pending(id) {
    return this.held.get(id) || this.asked.get(id)?.wish.click;
  }

  hold(id, place) {
    this.held.set(id, place);
    this.stage.show();
  }

  /** Gives `wish` ({click} | {reason} | {clear: true}) as a point's answer: one change, saved at once. */
  give(point, wish) {
    this.held.delete(point.id);
    const before = this.asked.get(point.id)?.wish || wishOf(point);
    if (wish.clear && before.clear) return;
    const entry = { undo: () => this.#again(point.id, before), redo: () => this.#again(point.id, wish) };
    this.app.histories.points.push(entry);
    this.#send(point, wish, entry);
  }

  #again(id, wish) {
    const index = this.stage.points.findIndex((point) => point.id === id);
    if (index < 0) return;
    if (index !== this.stage.index) this.stage.go(index);
    this.#send(this.stage.points[index], wish);
  }

  #send(point, wish, entry) {
    this.asked.set(point.id, { wish, old: this.asked.get(point.id)?.old || { ...point } });
    if (!wish.click) Object.assign(point, { answer: null, shown: [], reason: wish.reason || null, warning: null });
    this.stage.show();
    this.app.queue.add({
      method: "PUT",
      path: `/api/tasks/${this.app.task.id}/points/${point.id}`,
      body: wish,
      done: (answer) => this.#take(point.id, wish, answer),
      refused: (error) => this.#refuse(point.id, wish, error, entry),
    });
  }

  #take(id, wish, answer) {
    if (this.asked.get(id)?.wish !== wish) return; // a later wish is on its way: its answer will be shown
    this.asked.delete(id);
    const index = this.#replace(id, answer);
    if (!wish.click || index !== this.stage.index) return;
    const { view } = wish.click;
    announce(`Answered in view ${view + 1}, seen in ${answer.point.shown.length} views. ${answer.point.warning || ""}`);
    this.stage.answered(answer.point);
  }

  /** Takes over the server's state of a point, and the warnings of the whole person. */
  #replace(id, { point, warnings }) {
    const index = this.stage.points.findIndex((other) => other.id === id);
    if (index >= 0 && point) this.stage.points[index] = point;
    if (warnings) this.#warn(warnings);
    this.stage.show();
    return index;
  }

  // [{points: [ids], text}]: all contradictions there are now, also between other points.
  #warn(warnings) {
    for (const point of this.stage.points) {
      point.warning = warnings.find(({ points }) => points.includes(point.id))?.text || null;
    }
  }

  #refuse(id, wish, error, entry) {
    if (this.asked.get(id)?.wish === wish) {
      const point = this.stage.points.find((one) => one.id === id);
      if (point) Object.assign(point, this.asked.get(id).old);
      this.asked.delete(id);
    }
    this.#tell(error, entry);
  }

  #tell(error, entry) {
    if (entry) this.app.histories.points.drop(entry);
    notice(error.message, "hint");
    announce(error.message);
    this.stage.show();
  }

  /** Asks a point at another place of the photo. */
  setPlace(point, x, y) {
    const before = [point.x, point.y];
    const send = ([px, py], entry) =>
      this.app.queue.add({
        method: "PUT",
        path: `/api/tasks/${this.app.task.id}/points/${point.id}/place`,
        body: { x: px, y: py },
        done: (answer) => this.#replace(point.id, answer),
        refused: (error) => this.#tell(error, entry),
      });
    const entry = { undo: () => send(before), redo: () => send([x, y]) };
    this.app.histories.points.push(entry);
    send([x, y], entry);
  }
}

/** What would have to be asked for to get the point's present answer again. */
function wishOf({ answer, reason }) {
  if (answer) return { click: { view: answer.view, x: answer.x, y: answer.y } };
  return reason ? { reason } : { clear: true };
}
