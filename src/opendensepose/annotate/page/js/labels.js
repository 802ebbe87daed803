// The part of each cell of the 256 x 256 grid over the person's box: one label per cell, 0 for none.
import { decodeMask, encodeMask } from "./rle.js";

export const GRID = 256;

export class Labels {
  constructor() {
    this.cells = new Uint8Array(GRID * GRID);
    this.edition = 0; // grows with every change, so that cached drawings know when they are outdated
  }

  /** Replaces all labels by the masks {part: counts}. Where masks overlap, the larger part number wins. */
  load(parts) {
    this.cells.fill(0);
    for (const [part, code] of Object.entries(parts)) {
      const counts = typeof code === "string" ? code : code.counts;
      if (!counts) continue;
      const mask = decodeMask(counts, GRID, GRID);
      for (let k = 0; k < mask.length; k++) if (mask[k]) this.cells[k] = Number(part);
    }
    this.edition++;
  }

  /** The part's mask as COCO's counts, "" if it has no cell. */
  counts(part) {
    if (!this.cells.includes(part)) return "";
    return encodeMask(
      this.cells.map((label) => (label === part ? 1 : 0)),
      GRID,
      GRID,
    );
  }

  get isEmpty() {
    return this.cells.every((label) => label === 0);
  }

  /** Cells per part, areas[0] those without one. */
  areas() {
    const areas = new Uint32Array(15);
    for (const label of this.cells) areas[label]++;
    return areas;
  }

  /** The change that sets `wanted` (cell -> label): {index, before, after, parts}, or null if nothing changes. */
  difference(wanted) {
    const index = [];
    const after = [];
    for (const [cell, label] of wanted) {
      if (this.cells[cell] !== label) {
        index.push(cell);
        after.push(label);
      }
    }
    if (!index.length) return null;
    return this.#change(Uint32Array.from(index), Uint8Array.from(after));
  }

  #change(index, after) {
    const before = index.length ? Uint8Array.from(index, (cell) => this.cells[cell]) : new Uint8Array();
    const parts = new Set([...before, ...after]);
    parts.delete(0);
    return { index, before, after, parts: [...parts] };
  }

  /** Sets the cells of a change to `change.after` or, if `back`, to `change.before`. */
  apply(change, back = false) {
    const values = back ? change.before : change.after;
    change.index.forEach((cell, k) => (this.cells[cell] = values[k]));
    this.edition++;
  }
}

const named = new WeakMap(); // labels -> {edition, places}

/** The place of each part's name: [part, [x, y] in cells, number of cells], for parts that are not tiny. */
export function centroidsOf(labels) {
  if (named.get(labels)?.edition === labels.edition) return named.get(labels).places;
  const sums = Array.from({ length: 15 }, () => [0, 0, 0]);
  labels.cells.forEach((label, cell) => {
    if (!label) return;
    sums[label][0]++;
    sums[label][1] += cell % GRID;
    sums[label][2] += Math.floor(cell / GRID);
  });
  const places = sums.flatMap(([n, x, y], part) => (n > 40 ? [[part, [x / n + 0.5, y / n + 0.5], n]] : []));
  named.set(labels, { edition: labels.edition, places });
  return places;
}
