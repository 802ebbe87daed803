// Stage 2's photo: shows the points, chooses one by a click, moves the current one.
import { drawCrosshair, drawPoint, drawText } from "./overlay.js";
import { shapeOf } from "./markers.js";

const REACH = 12; // CSS pixels within which a click hits a point

export class PointsInput {
  constructor(stage) {
    this.stage = stage;
    this.moving = null; // [x, y] of the current point while it is moved
    this.byKeys = false;
  }

  /** Zooms to the current point; keeps the zoom while the part stays the same. */
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
    if (!stage.point) return;
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
    if (far) stage.answers.setPlace(stage.point, x, y);
    this.cancelMove();
  }

  /** Starts moving the point by keyboard: the arrows move it in the photo, Enter sets it, Escape cancels. */
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
    this.stage.answers.setPlace(this.stage.point, ...this.moving);
    this.cancelMove();
  }

  cancelMove() {
    this.moving = null;
    this.byKeys = false;
    this.stage.app.photo.redraw();
  }

  hint() {
    if (!this.stage.app.task?.editable) return "Read only. A click shows another point; Z shows the whole person.";
    if (this.byKeys) return "Arrows move the point, Enter sets it, Esc cancels.";
    return "To move the point, drag the cross. Z shows the whole person.";
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
    const answered = point.answer || stage.answers.pending(point.id);
    const colour = stage.app.colour(point.part);
    drawPoint(context, at, { shape: shapeOf(numbers[stage.index]), colour, answered, radius: 6.5 });
    drawCrosshair(context, at, 11, 16, this.moving ? "#ffd166" : "#fff");
    drawText(context, String(numbers[stage.index]), at[0] + 15, at[1] - 13, 14);
  }
}
