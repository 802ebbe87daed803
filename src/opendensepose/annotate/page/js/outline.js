// Outlines of parts: corners set by clicks, or a line dragged along a border, which the server snaps to the photo's edges.
// A closed outline is painted at once; until something else is drawn its corners can be dragged, added and removed.
import { post } from "./api.js";
import { notice } from "./dom.js";
import { polygonCells } from "./shapes.js";

const GRAB_PX = 9; // CSS pixels within which a press hits a corner or a side
const TRAIL_PX = 3; // between the points of a dragged line

export class Outline {
  constructor(stage) {
    this.stage = stage;
    this.reset();
  }

  reset() {
    const { part } = this.stage;
    Object.assign(this, { part, corners: [], closed: false, trail: null, held: null, entry: null }); // corners in cells
  }

  #screen(at) {
    return this.stage.app.photo.viewport.toScreen(...this.stage.toPhoto(...at));
  }

  #distance(a, b) {
    const [[ax, ay], [bx, by]] = [this.#screen(a), this.#screen(b)];
    return Math.hypot(ax - bx, ay - by);
  }

  /** A press: takes hold of a corner or a side of the closed outline (Shift removes a corner); else false. */
  grab(at, remove) {
    if (!this.closed || !this.#isLast() || !this.stage.app.mayEdit()) return false;
    const near = this.corners.findIndex((corner) => this.#distance(corner, at) < GRAB_PX);
    if (near >= 0 && remove && this.corners.length > 3) {
      this.corners.splice(near, 1);
      this.#paint();
      return true;
    }
    this.held = near >= 0 ? near : this.#newCorner(at);
    return this.held !== null;
  }

  /** Puts a corner on the side under a press; returns its index, null if there is no side. */
  #newCorner(at) {
    for (const [k, a] of this.corners.entries()) {
      const b = this.corners[(k + 1) % this.corners.length];
      const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
      const t = ((at[0] - a[0]) * dx + (at[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
      if (t <= 0 || t >= 1 || this.#distance([a[0] + t * dx, a[1] + t * dy], at) > GRAB_PX / 1.5) continue;
      this.corners.splice(k + 1, 0, at);
      return k + 1;
    }
    return null;
  }

  dragTo(at) {
    if (this.held !== null) this.corners[this.held] = at;
    else if (this.trail && this.#distance(this.trail.at(-1), at) >= TRAIL_PX) this.trail.push(at);
  }

  /** Lets go: paints the changed outline, or snaps the dragged line. */
  async drop() {
    const { held, trail } = this;
    this.held = this.trail = null;
    if (held !== null) return this.#paint();
    if (!trail) return undefined;
    if (trail.length < 6) return notice("Drag along the part's border, once around it; the line snaps to the edges.", "hint");
    return this.#snap(trail);
  }

  /** Begins a line along a border. */
  draw(at) {
    this.reset();
    if (this.stage.app.mayEdit()) this.trail = [at];
  }

  /** Adds a corner; near the first one it closes the outline. */
  add(at) {
    if (this.closed) this.reset();
    if (this.corners.length >= 3 && this.#distance(this.corners[0], at) < GRAB_PX) return this.close();
    if (this.stage.app.mayEdit()) this.corners.push(at);
    return undefined;
  }

  close() {
    if (this.closed || this.corners.length < 3) return this.closed || this.reset();
    return this.stage.tool === "snap" ? this.#snap(this.corners) : this.#paint();
  }

  /** Moves a closed line to the photo's edges, no farther than the brush reaches, and paints what it encloses. */
  async #snap(line) {
    const { stage, part, corners } = this;
    const { task } = stage.app;
    const body = { outline_xy: line.map((at) => stage.toPhoto(...at)), reach_px: Math.max(1, stage.radiusInPhoto()) };
    const { outline_xy: outline } = await post(`/api/tasks/${task.id}/snap`, body);
    if (stage.app.task?.id !== task.id || stage.app.stage !== "parts") return;
    const snapped = outline.map((at) => stage.toCell(...at));
    if (this.corners !== corners || this.trail) {
      // Another part was chosen or another line begun meanwhile: that one stays, and this one cannot be edited.
      stage.commit(stage.wanted(polygonCells(snapped), part), "outlined");
      return;
    }
    this.reset();
    this.corners = snapped;
    this.#paint();
    notice("Drag a corner or a side to correct the outline; Shift and a click remove a corner.", "hint");
  }

  /** Paints the inside as one change, which replaces what this outline painted before. */
  #paint() {
    const { stage } = this;
    const replaced = this.#isLast() ? stage.takeBack(this.entry) : [];
    this.closed = true;
    this.entry = stage.commit(stage.wanted(polygonCells(this.corners), this.part), "outlined", replaced) || null;
  }

  #isLast() {
    return this.entry !== null && this.stage.app.histories.parts.done.at(-1) === this.entry;
  }

  /** The line to show, with `tip` at the end of an unfinished one: {path, corners, closed, reach}, or null. */
  shown(tip) {
    if (this.closed && !this.#isLast()) this.reset(); // undone, or something else was drawn since
    if (this.trail) return { path: this.trail, corners: [], closed: false, reach: true };
    if (!this.corners.length) return null;
    const path = this.closed || !tip ? this.corners : [...this.corners, tip];
    return { path, corners: this.corners, closed: this.closed, reach: false };
  }
}
