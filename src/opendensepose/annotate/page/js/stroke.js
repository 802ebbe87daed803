// One stroke of the brush or the eraser: shown while it is drawn, one change when it ends.
import { strokeCells } from "./shapes.js";

export class Stroke {
  /** `radii` in cells; `paint(cells)` -> Map of cell -> label that the tool would set. */
  constructor(labels, radii, paint) {
    Object.assign(this, { labels, radii, paint });
    this.before = new Map(); // what each touched cell was before the stroke
    this.last = null;
  }

  to(at) {
    for (const [cell, label] of this.paint(strokeCells(this.last || at, at, this.radii))) {
      if (!this.before.has(cell)) this.before.set(cell, this.labels.cells[cell]);
      this.labels.cells[cell] = label;
    }
    this.last = at;
    this.labels.edition++;
  }

  /** Reverts the stroke and returns what it painted: Map of cell -> label. */
  end() {
    const wanted = new Map([...this.before.keys()].map((cell) => [cell, this.labels.cells[cell]]));
    for (const [cell, label] of this.before) this.labels.cells[cell] = label;
    this.labels.edition++;
    return wanted;
  }
}
