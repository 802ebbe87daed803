// Stage 1: painting the visible parts over the photo's box, on a grid of 256 x 256 cells.
import { announce, byId, notice } from "./dom.js";
import { GRID } from "./labels.js";
import { Outline } from "./outline.js";
import { saveParts } from "./parts_actions.js";
import { PartsInput } from "./parts_input.js";
import { enclosedCells } from "./shapes.js";
import { Stroke } from "./stroke.js";

export class PartsStage {
  constructor(app) {
    this.app = app;
    this.part = 1;
    this.tool = "brush";
    this.radius = Number(localStorage.getItem("brush") || 8);
    this.keepOthers = false;
    this.outline = new Outline(this);
    this.stroke = null; // the stroke in progress
    this.input = new PartsInput(this);
  }

  open() {
    this.cancel();
    this.app.photo.tool = this.input;
    this.app.photo.fit(this.app.task.box_xyxy);
    this.show();
  }

  /** Photo pixels -> cells of the grid, and back. */
  toCell(x, y) {
    const [x0, y0, x1, y1] = this.app.task.box_xyxy;
    return [((x - x0) / (x1 - x0)) * GRID, ((y - y0) / (y1 - y0)) * GRID];
  }

  toPhoto(x, y) {
    const [x0, y0, x1, y1] = this.app.task.box_xyxy;
    return [x0 + (x / GRID) * (x1 - x0), y0 + (y / GRID) * (y1 - y0)];
  }

  /** The brush's radii in cells: a disc in the photo. */
  radii() {
    const [x0, y0, x1, y1] = this.app.task.box_xyxy;
    return [x1 - x0, y1 - y0].map((side) => (this.radiusInPhoto() * GRID) / side);
  }

  /** The brush's radius in pixels of the photo. */
  radiusInPhoto() {
    const [x0, y0, x1, y1] = this.app.task.box_xyxy;
    return (this.radius * Math.max(x1 - x0, y1 - y0)) / GRID;
  }

  select(part) {
    this.part = part;
    this.outline.reset();
    announce(`${this.app.partName(part)} chosen`);
    this.show();
  }

  setTool(tool) {
    this.cancel();
    this.tool = tool;
    this.show();
  }

  setRadius(radius) {
    this.radius = Math.min(40, Math.max(1, radius));
    localStorage.setItem("brush", this.radius);
    this.show();
  }

  toggleKeepOthers() {
    this.keepOthers = !this.keepOthers;
    this.show();
  }

  /** Begins a stroke at [x, y] in cells; `strokeTo` continues it, `strokeEnd` commits it as one change. */
  strokeBegin(at) {
    if (!this.app.mayEdit()) return;
    this.stroke = new Stroke(this.app.labels, this.radii(), (cells) => this.wanted(cells));
    this.strokeTo(at);
  }

  strokeTo(at) {
    this.stroke?.to(at);
    this.app.photo.redraw();
  }

  strokeEnd() {
    const { stroke } = this;
    this.stroke = null;
    this.input.penDown = false;
    if (stroke) this.commit(stroke.end(), this.tool === "erase" ? "erased" : "painted");
  }

  /** What the tool would make of cells: Map of cell -> label. */
  wanted(cells, label = this.tool === "erase" ? 0 : this.part) {
    const { cells: labels } = this.app.labels;
    const isFree = (cell) => !label || !this.keepOthers || labels[cell] === 0;
    return new Map([...cells].filter(isFree).map((cell) => [cell, label]));
  }

  /** Commits cells -> labels as one change, saved with the parts `replaced` by it; returns its entry for undo, or null. */
  commit(wanted, what, replaced = []) {
    const change = this.app.mayEdit() && this.app.labels.difference(wanted);
    const parts = [...new Set([...(change?.parts || []), ...replaced])];
    if (!change) return parts.length ? saveParts(this.app, parts) : null;
    const move = (back) => {
      this.app.labels.apply(change, back);
      saveParts(this.app, parts);
      this.show();
    };
    move(false);
    const entry = { change, undo: () => move(true), redo: () => move(false) };
    this.app.histories.parts.push(entry);
    announce(`${this.app.partName(this.part)} ${what}`);
    return entry;
  }

  /** Takes back the last change, for another to replace it; returns its parts, which are saved with that. */
  takeBack(entry) {
    this.app.labels.apply(entry.change, true);
    this.app.histories.parts.drop(entry);
    return entry.change.parts;
  }

  fillAt([x, y]) {
    if (x < 0 || y < 0 || x >= GRID || y >= GRID) return;
    const cells = enclosedCells(this.app.labels.cells, Math.floor(y) * GRID + Math.floor(x));
    if (!cells) return notice("This area is open: it reaches the border of the box. Draw a closed line around it first.");
    this.commit(new Map([...cells].map((cell) => [cell, this.part])), "filled");
  }

  cancel() {
    this.strokeEnd();
    this.outline.reset();
    this.app.photo.redraw();
  }

  show() {
    this.input.show();
    byId("photo-hint").textContent = this.input.hint();
    this.app.photo.redraw();
  }
}
