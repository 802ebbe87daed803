// Shapes on the grid as sets of cells: brush strokes, polygons, enclosed areas, gaps. Points are [x, y] in cells.
import { GRID } from "./labels.js";

/** Cells whose centre is within the ellipse [rx, ry] swept from a to b; at least the cell under b. */
export function strokeCells(a, b, [rx, ry]) {
  const cells = new Set();
  const [dx, dy] = [(b[0] - a[0]) / rx, (b[1] - a[1]) / ry]; // in units of the radii the ellipse is a disc
  const length2 = dx * dx + dy * dy;
  const [x0, x1] = span(a[0], b[0], rx);
  const [y0, y1] = span(a[1], b[1], ry);
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const [px, py] = [(x + 0.5 - a[0]) / rx, (y + 0.5 - a[1]) / ry];
      const t = length2 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      if ((px - t * dx) ** 2 + (py - t * dy) ** 2 <= 1) cells.add(y * GRID + x);
    }
  }
  const [x, y] = [Math.floor(b[0]), Math.floor(b[1])];
  if (x >= 0 && y >= 0 && x < GRID && y < GRID) cells.add(y * GRID + x);
  return cells;
}

function span(a, b, radius) {
  return [Math.max(0, Math.floor(Math.min(a, b) - radius)), Math.min(GRID - 1, Math.floor(Math.max(a, b) + radius))];
}

/** Cells whose centre is inside the polygon (even-odd rule). */
export function polygonCells(corners) {
  const cells = new Set();
  for (let y = 0; y < GRID; y++) {
    const crossings = [];
    corners.forEach(([xa, ya], k) => {
      const [xb, yb] = corners[(k + 1) % corners.length];
      if (ya > y + 0.5 !== yb > y + 0.5) crossings.push(xa + ((y + 0.5 - ya) / (yb - ya)) * (xb - xa));
    });
    crossings.sort((p, q) => p - q);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const first = Math.max(0, Math.ceil(crossings[k] - 0.5));
      for (let x = first; x < Math.min(GRID, crossings[k + 1] - 0.5); x++) cells.add(y * GRID + x);
    }
  }
  return cells;
}

/** The connected area of equal label around a cell; null if it is unlabelled and runs out of the box. */
export function enclosedCells(labels, start) {
  const label = labels[start];
  const cells = new Set([start]);
  const queue = [start];
  while (queue.length) {
    const cell = queue.pop();
    const [x, y] = [cell % GRID, Math.floor(cell / GRID)];
    if (label === 0 && (x === 0 || y === 0 || x === GRID - 1 || y === GRID - 1)) return null;
    const around = [x > 0 && cell - 1, x < GRID - 1 && cell + 1, y > 0 && cell - GRID, y < GRID - 1 && cell + GRID];
    for (const other of around) {
      if (other === false || cells.has(other) || labels[other] !== label) continue;
      cells.add(other);
      queue.push(other);
    }
  }
  return cells;
}

/** Unlabelled cells between pieces of `part`: gaps narrower than 2 * radius, and holes. */
export function gapCells(labels, part, radius) {
  const disc = discOffsets(radius);
  const near = new Uint8Array(labels.length); // cells within radius of the part
  labels.forEach((label, cell) => label === part && spread(cell, disc, (other) => (near[other] = 1)));
  const closed = Uint8Array.from(near); // ... less those within radius of a cell that is not
  near.forEach((value, cell) => !value && spread(cell, disc, (other) => (closed[other] = 0)));
  const filled = closed.map((value, cell) => (value || labels[cell] === part ? 1 : 0));
  const outside = outsideOf(filled);
  const gaps = new Set();
  labels.forEach((label, cell) => label === 0 && !outside[cell] && gaps.add(cell));
  return gaps;
}

/** 1 for cells that a path of unfilled cells joins with the grid's border. */
function outsideOf(filled) {
  const outside = new Uint8Array(filled.length);
  const queue = [];
  const visit = (cell) => {
    if (filled[cell] || outside[cell]) return;
    outside[cell] = 1;
    queue.push(cell);
  };
  for (let k = 0; k < GRID; k++) [k, (GRID - 1) * GRID + k, k * GRID, k * GRID + GRID - 1].forEach(visit);
  while (queue.length) spread(queue.pop(), [[1, 0], [-1, 0], [0, 1], [0, -1]], visit);
  return outside;
}

function discOffsets(radius) {
  const offsets = [];
  const reach = Math.ceil(radius);
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) if (x * x + y * y <= radius * radius) offsets.push([x, y]);
  }
  return offsets;
}

function spread(cell, offsets, visit) {
  const [x0, y0] = [cell % GRID, Math.floor(cell / GRID)];
  for (const [dx, dy] of offsets) {
    const [x, y] = [x0 + dx, y0 + dy];
    if (x >= 0 && y >= 0 && x < GRID && y < GRID) visit(y * GRID + x);
  }
}
