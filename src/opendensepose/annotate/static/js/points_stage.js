// Stage 2: for each asked place in the photo, a click on one of six views of its part.
import { announce, byId, choose, notice } from "./dom.js";
import { PointsInput } from "./points_input.js";
import { ViewsPanel, viewsOf } from "./views.js";

export class PointsStage {
  constructor(app) {
    this.app = app;
    this.index = 0;
    this.pending = new Map(); // point id -> the click shown until the server's answer is there
    this.asked = new Map(); // point id -> {wish, old}: the last wish on its way, and the point as the server had it
    this.autoNext = localStorage.getItem("auto-next") === "yes";
    this.views = new ViewsPanel(byId("views"), (...place) => this.pick(...place));
    this.input = new PointsInput(this);
  }

  get points() {
    return this.app.task?.points || [];
  }

  get point() {
    return this.points[this.index];
  }

  open() {
    this.app.photo.tool = this.input;
    const open = this.points.findIndex((point) => !point.answer && !point.reason);
    this.go(open < 0 ? 0 : open);
  }

  /** Shows the point at `index` of the order of asking. */
  async go(index) {
    if (!this.points.length) return this.show();
    const samePart = this.point?.part === this.points[Math.max(0, Math.min(index, this.points.length - 1))].part;
    this.index = Math.max(0, Math.min(index, this.points.length - 1));
    this.views.cross = null;
    this.input.cancelMove();
    notice("");
    this.input.focusPhoto(samePart);
    const { point } = this;
    announce(`Point ${this.index + 1} of ${this.points.length}, ${this.app.partName(point.part)}`);
    const views = await viewsOf(point.part);
    if (this.point !== point || this.app.stage !== "points") return;
    this.views.load(views);
    this.show();
    const next = this.points.find((other, k) => k > this.index && other.part !== point.part);
    if (next) viewsOf(next.part).catch(() => {});
  }

  goOpen() {
    const order = [...this.points.keys()].map((k) => (this.index + 1 + k) % this.points.length);
    const open = order.find((k) => !this.points[k].answer && !this.points[k].reason);
    if (open === undefined) return notice("Every point has an answer or a reason: submit this person.", "hint");
    return this.go(open);
  }

  /** A place in a view was clicked, or the answer dragged there: only the end of a drag is saved. */
  pick(view, x, y, dragged) {
    const { point } = this;
    if (!point || !this.app.mayEdit()) return;
    if (dragged === false) this.pressed = [x, y];
    const moved = Math.hypot(x - this.pressed?.[0], y - this.pressed?.[1]) > 2;
    if (dragged === false) return this.answer({ click: { view, x, y } });
    if (!moved) return;
    this.dragged = true;
    this.pending.set(point.id, { view, x, y });
    this.show();
    if (dragged === "end") this.answer({ click: { view, x, y } });
  }

  answerAtCross() {
    const { cross, chosen, views } = this.views;
    if (!cross) return this.point?.answer ? this.go(this.index + 1) : this.views.moveCross(0, 0);
    this.views.cross = null;
    this.answer({ click: { view: views[chosen].view, x: cross[0], y: cross[1] } });
  }

  async giveReason() {
    if (!this.app.mayEdit() || !this.point) return;
    const reason = await choose("Why is there no answer for this point?", this.app.session.reasons);
    if (reason) this.answer({ reason });
  }

  /** Gives `wish` ({click} | {reason} | {clear: true}) as the point's answer: one change, saved at once. */
  answer(wish) {
    const { point } = this;
    if (!point || !this.app.mayEdit()) return;
    const before = this.asked.get(point.id)?.wish || wishOf(point);
    if (wish.clear && before.clear) return;
    const entry = {
      undo: () => this.#give(point.id, before, true),
      redo: () => this.#give(point.id, wish, true),
    };
    this.app.histories.points.push(entry);
    this.#give(point.id, wish, false, entry);
  }

  #give(id, wish, goThere, entry) {
    const index = this.points.findIndex((point) => point.id === id);
    if (index < 0) return;
    if (goThere && index !== this.index) this.go(index);
    this.#show(this.points[index], wish);
    this.app.queue.add({
      method: "PUT",
      path: `/api/tasks/${this.app.task.id}/points/${id}`,
      body: wish,
      done: (answer) => this.take(id, wish, answer),
      refused: (error) => this.#refuse(id, wish, error, entry),
    });
  }

  // Until the server's answer is there, what was asked for is shown.
  #show(point, wish) {
    this.asked.set(point.id, { wish, old: this.asked.get(point.id)?.old || { ...point } });
    this.pending.delete(point.id);
    if (wish.click) this.pending.set(point.id, wish.click);
    else Object.assign(point, { answer: null, shown: [], reason: wish.reason || null, warning: null });
    this.show();
  }

  /** Takes over the server's state of a point, and the warnings of the whole person. */
  take(id, wish, { point, warnings }) {
    const index = this.points.findIndex((other) => other.id === id);
    if (index < 0) return;
    if (this.asked.get(id)?.wish !== wish) return; // a later wish is on its way: its answer will be shown
    this.asked.delete(id);
    this.pending.delete(id);
    this.points[index] = point;
    this.app.takeWarnings(warnings);
    this.show();
    if (wish?.click && index === this.index) {
      announce(`Answered in view ${wish.click.view + 1}, seen in ${point.shown.length} views. ${point.warning || ""}`);
      if (this.autoNext && !point.warning) setTimeout(() => this.index === index && this.go(index + 1), 350);
    }
  }

  #refuse(id, wish, error, entry) {
    if (this.asked.get(id)?.wish === wish) {
      Object.assign(this.points.find((point) => point.id === id) || {}, this.asked.get(id).old);
      this.asked.delete(id);
      this.pending.delete(id);
    }
    if (entry) this.app.histories.points.drop(entry);
    notice(error.message, "hint");
    announce(error.message);
    this.show();
  }

  refusePlace(error, entry) {
    if (entry) this.app.histories.points.drop(entry);
    notice(error.message, "hint");
    announce(error.message);
    this.show();
  }

  /** Each point's number within its part, from 1: what chooses its shape. */
  numbers() {
    const seen = {};
    return this.points.map(({ part }) => (seen[part] = (seen[part] || 0) + 1));
  }

  /** What the views show of this part: each answered point where the server sees it, a pending one where it is put. */
  marks() {
    const numbers = this.numbers();
    return this.points.flatMap((point, k) => {
      if (point.part !== this.point.part) return [];
      const pending = this.pending.get(point.id);
      const places = pending ? [pending] : point.answer ? point.shown : [];
      return [{ number: numbers[k], current: k === this.index, pending: Boolean(pending), places }];
    });
  }

  /** Chooses a view by keyboard: its crosshair begins at the present answer, or in the middle. */
  chooseView(index) {
    this.views.choose(index);
    const here = this.point?.shown.find(({ view }) => view === this.views.views[index]?.view);
    this.views.cross ||= here ? [here.x, here.y] : null;
    this.views.moveCross(0, 0);
    this.views.focus();
  }

  toggleLarge() {
    this.views.toggleLarge();
    this.show();
  }

  toggleAuto() {
    this.autoNext = !this.autoNext;
    localStorage.setItem("auto-next", this.autoNext ? "yes" : "no");
    this.show();
  }

  show() {
    this.input.show();
    this.app.photo.redraw();
  }
}

/** What would have to be asked for to get the point's present answer again. */
function wishOf({ answer, reason }) {
  if (answer) return { click: { view: answer.view, x: answer.x, y: answer.y } };
  return reason ? { reason } : { clear: true };
}
