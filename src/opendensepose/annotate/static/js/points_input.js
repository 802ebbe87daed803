// Stage 2's photo, lists and labels: where the asked place is, dragging it, what has been answered.
import { byId, element } from "./dom.js";
import { drawCrosshair, drawPoint, drawText } from "./overlay.js";
import { shapeOf } from "./markers.js";

const REACH = 12; // CSS pixels within which the pointer takes hold of a point

export class PointsInput {
  constructor(stage) {
    this.stage = stage;
    this.moving = null; // [x, y] of the asked place while it is moved
    this.byKeys = false;
  }

  /** Zooms to the surroundings of the asked place; keeps the zoom while the part stays the same. */
  focusPhoto(keepZoom) {
    const { photo, task } = this.stage.app;
    const { x, y } = this.stage.point;
    const [x0, y0, x1, y1] = task.box_xyxy;
    const half = Math.max(x1 - x0, y1 - y0) / 5;
    if (keepZoom && photo.focus === null) {
      photo.viewport.reveal(x, y, 80);
      photo.redraw();
    } else {
      photo.fit([x - half, y - half, x + half, y + half], 0);
    }
  }

  fitOrPoint() {
    const { photo, task } = this.stage.app;
    const whole = photo.focus?.[0] === task.box_xyxy;
    if (whole) return this.focusPhoto(false);
    photo.fit(task.box_xyxy);
  }

  down(x, y) {
    const { stage } = this;
    const [sx, sy] = stage.app.photo.viewport.toScreen(x, y);
    const distance = (point) => {
      const [px, py] = stage.app.photo.viewport.toScreen(point.x, point.y);
      return Math.hypot(px - sx, py - sy);
    };
    if (distance(stage.point) < REACH) {
      if (stage.app.mayEdit()) this.moving = [x, y];
      return;
    }
    const nearest = [...stage.points.keys()].sort((a, b) => distance(stage.points[a]) - distance(stage.points[b]))[0];
    if (distance(stage.points[nearest]) < REACH) stage.go(nearest);
  }

  move(x, y, event, pressed) {
    if (!this.moving || !pressed || this.byKeys) return;
    this.moving = [x, y];
    this.stage.app.photo.redraw();
  }

  up(x, y) {
    if (!this.moving || this.byKeys) return;
    const { stage } = this;
    const { scale } = stage.app.photo.viewport;
    const far = Math.hypot(x - stage.point.x, y - stage.point.y) * scale > 3;
    if (far) this.setPlace(x, y);
    this.cancelMove();
  }

  /** By keyboard: the arrows now move the asked place in the photo; Enter sets it, Escape leaves it. */
  startMove() {
    if (!this.stage.point || !this.stage.app.mayEdit()) return;
    this.moving = [this.stage.point.x, this.stage.point.y];
    this.byKeys = true;
    this.stage.show();
  }

  moveBy(dx, dy) {
    this.moving = [this.moving[0] + dx, this.moving[1] + dy];
    this.stage.app.photo.viewport.reveal(...this.moving);
    this.stage.app.photo.redraw();
  }

  endMove() {
    this.setPlace(...this.moving);
    this.cancelMove();
  }

  cancelMove() {
    this.moving = null;
    this.byKeys = false;
    this.stage.app.photo.redraw();
  }

  setPlace(x, y) {
    const { point, app } = this.stage;
    const before = [point.x, point.y];
    const give = ([px, py], entry) =>
      app.queue.add({
        method: "PUT",
        path: `/api/tasks/${app.task.id}/points/${point.id}/place`,
        body: { x: px, y: py },
        done: (answer) => this.stage.take(point.id, undefined, answer),
        refused: (error) => this.stage.refusePlace(error, entry),
      });
    const entry = { undo: () => give(before), redo: () => give([x, y]) };
    app.histories.points.push(entry);
    give([x, y], entry);
  }

  hint() {
    if (this.byKeys) return "Arrows move the asked place, Enter sets it, Esc leaves it where it was.";
    return "The cross is the asked place: drag it if it is badly placed. Z shows the whole person.";
  }

  draw(context, viewport) {
    const { stage } = this;
    const numbers = stage.numbers();
    stage.points.forEach((point, k) => {
      if (point.part !== stage.point.part || k === stage.index) return;
      const at = viewport.toScreen(point.x, point.y);
      const colour = stage.app.colour(point.part);
      drawPoint(context, at, { shape: shapeOf(numbers[k]), colour, answered: point.answer, radius: 5 });
      drawText(context, String(numbers[k]), at[0] + 11, at[1] - 8, 11);
    });
    const { point } = stage;
    const at = viewport.toScreen(...(this.moving || [point.x, point.y]));
    const answered = point.answer || stage.pending.has(point.id);
    const colour = stage.app.colour(point.part);
    drawPoint(context, at, { shape: shapeOf(numbers[stage.index]), colour, answered, radius: 6.5 });
    drawCrosshair(context, at, 11, 16, this.moving ? "#ffd166" : "#fff");
    drawText(context, String(numbers[stage.index]), at[0] + 15, at[1] - 13, 14);
  }

  /** Brings the title, the views' marks and the strip of points up to date. */
  show() {
    const { stage } = this;
    const { point, points } = stage;
    const done = points.filter((one) => one.answer || one.reason).length;
    byId("progress-text").textContent = `${done} of ${points.length} points done`;
    byId("auto-next").checked = stage.autoNext;
    byId("photo-hint").textContent = this.hint();
    this.#showStrip();
    if (!point) {
      byId("point-title").textContent = "No points: draw the parts first";
      return;
    }
    const numbers = stage.numbers();
    const ofPart = points.filter((one) => one.part === point.part).length;
    const name = stage.app.partName(point.part);
    byId("point-title").textContent = `${stage.index + 1}/${points.length} · ${name} ${numbers[stage.index]} of ${ofPart}`;
    byId("point-note").textContent = point.warning ? `⚠ ${point.warning}` : describe(point, stage.pending.has(point.id));
    byId("point-note").classList.toggle("warning", Boolean(point.warning));
    stage.views.show(stage.marks());
  }

  #showStrip() {
    const strip = byId("point-strip");
    const { points, index } = this.stage;
    while (strip.children.length > points.length) strip.lastElementChild.remove();
    points.forEach((point, k) => {
      const item = strip.children[k] || strip.appendChild(this.#stripItem(k));
      const button = item.firstElementChild;
      const commented = this.stage.app.task.comments.some((comment) => comment.point_id === point.id);
      const state = commented ? "comment" : point.warning ? "warning" : point.answer ? "done" : point.reason ? "reason" : "open";
      if (button.dataset.state !== state) button.dataset.state = state;
      item.classList.toggle("part-begins", k > 0 && points[k - 1].part !== point.part);
      button.setAttribute("aria-label", `Point ${k + 1}, ${this.stage.app.partName(point.part)}: ${STATES[state]}`);
      button.title = `${k + 1}, ${this.stage.app.partName(point.part)}: ${STATES[state]}`;
      if (k === index && button.getAttribute("aria-current") !== "true") item.scrollIntoView({ block: "nearest" });
      button.setAttribute("aria-current", k === index);
    });
  }

  #stripItem(k) {
    const button = element("button", { type: "button" }, String(k + 1));
    button.addEventListener("click", () => this.stage.go(k));
    return element("li", {}, button);
  }
}

const STATES = { comment: "comment", warning: "warning", done: "answered", reason: "no answer, with a reason", open: "open" };

function describe(point, pending) {
  if (pending) return "Saving …";
  if (point.reason) return `No answer: ${point.reason}`;
  if (!point.answer) return "Click the same place of the body in the view that shows it best.";
  const { i, u, v } = point.answer;
  return `Answered: chart ${i}, u ${u.toFixed(3)}, v ${v.toFixed(3)}; seen in ${point.shown.length} of 6 views.`;
}
