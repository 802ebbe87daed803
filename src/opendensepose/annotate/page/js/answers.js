// Stage 2's changes: answers and places of points, shown at once, saved one by one; undo and redo save again.
import { announce, notice } from "./dom.js";
import { askModel } from "./proposals.js";

export class Answers {
  constructor(stage) {
    this.stage = stage;
    this.app = stage.app;
    this.unsaved = new Map(); // point id -> {change, old}: the last change on its way, and the point as the server had it
    this.dragged = new Map(); // point id -> place in a view while it is dragged
  }

  forget() {
    this.unsaved.clear();
    this.dragged.clear();
  }

  /** The place of an answer that is not saved yet: {view, x, y}, or undefined. */
  pending(id) {
    return this.dragged.get(id) || this.unsaved.get(id)?.place;
  }

  drag(id, place) {
    this.dragged.set(id, place);
    this.stage.show();
  }

  /** Gives `change` ({click} | {accept: true} | {reason} | {clear: true}) as a point's answer: one change, saved at once. */
  give(point, change) {
    this.dragged.delete(point.id);
    const before = this.unsaved.get(point.id)?.change || changeFor(point);
    if (change.clear && before.clear) return;
    const entry = { undo: () => this.#again(point.id, before), redo: () => this.#again(point.id, change) };
    this.app.histories.points.push(entry);
    this.#send(point, change, entry);
  }

  #again(id, change) {
    const index = this.stage.points.findIndex((point) => point.id === id);
    if (index < 0) return;
    if (index !== this.stage.index) this.stage.go(index);
    this.#send(this.stage.points[index], change);
  }

  #send(point, change, entry) {
    const place = change.click || (change.accept ? point.proposal?.shown[0] : undefined);
    this.unsaved.set(point.id, { change, place, old: this.unsaved.get(point.id)?.old || { ...point } });
    if (!place) Object.assign(point, { answer: null, shown: [], reason: change.reason || null, warning: null });
    this.stage.show();
    this.app.queue.add({
      method: "PUT",
      path: `/api/tasks/${this.app.task.id}/points/${point.id}`,
      body: change,
      done: (answer) => this.#saved(point.id, change, answer, entry),
      refused: (error) => this.#refused(point.id, change, error, entry),
    });
  }

  #saved(id, change, answer, entry) {
    if (this.unsaved.get(id)?.change !== change) return; // a later change is being saved: its answer will be shown
    this.unsaved.delete(id);
    const index = this.#replace(id, answer);
    if (change.clear || index !== this.stage.index) return;
    const how = change.reason ? `No answer: ${change.reason}.` : change.accept ? "Accepted." : `Answered in view ${change.click.view + 1}.`;
    announce(`${how} ${answer.point.warning || ""}`);
    if (entry) this.stage.answered(answer.point); // undo and redo stay
  }

  /** Replaces a point by the server's, and the warnings of the whole person. */
  #replace(id, { point, warnings }) {
    const index = this.stage.points.findIndex((other) => other.id === id);
    if (index >= 0 && point) this.stage.points[index] = point;
    if (warnings) this.#warn(warnings);
    this.stage.show();
    return index;
  }

  // [{points: [ids], text}]: all current contradictions, also between other points.
  #warn(warnings) {
    for (const point of this.stage.points) {
      point.warning = warnings.find(({ points }) => points.includes(point.id))?.text || null;
    }
  }

  #refused(id, change, error, entry) {
    if (this.unsaved.get(id)?.change === change) {
      const point = this.stage.points.find((one) => one.id === id);
      if (point) Object.assign(point, this.unsaved.get(id).old);
      this.unsaved.delete(id);
    }
    this.#showError(error, entry);
  }

  #showError(error, entry) {
    if (entry) this.app.histories.points.drop(entry);
    notice(error.message, "hint");
    announce(error.message);
    this.stage.show();
  }

  /** Moves a point to another place of the photo. */
  setPlace(point, x, y) {
    const before = [point.x, point.y];
    const send = ([px, py], entry) =>
      this.app.queue.add({
        method: "PUT",
        path: `/api/tasks/${this.app.task.id}/points/${point.id}/place`,
        body: { x: px, y: py },
        done: (answer) => {
          this.#replace(point.id, answer);
          askModel(this.stage); // about the new place
        },
        refused: (error) => this.#showError(error, entry),
      });
    const entry = { undo: () => send(before), redo: () => send([x, y]) };
    this.app.histories.points.push(entry);
    send([x, y], entry);
  }
}

/** The request that would give the point its current answer again. */
function changeFor({ answer, reason, accepted }) {
  if (accepted) return { accept: true };
  if (answer) return { click: { view: answer.view, x: answer.x, y: answer.y } };
  return reason ? { reason } : { clear: true };
}
