// A box's eight handles: where they are, what a press takes, how the box follows. Boxes are [x0, y0, x1, y1].

// which of x0, y0, x1, y1 a handle moves, clockwise from the upper left
export const HANDLES = [[0, 1], [1], [2, 1], [2], [2, 3], [3], [0, 3], [0]];

export const ordered = ([xa, ya, xb, yb]) => [Math.min(xa, xb), Math.min(ya, yb), Math.max(xa, xb), Math.max(ya, yb)];

/** The place of handle `k` on the box. */
export function placeOf([x0, y0, x1, y1], k) {
  const share = (low, high) => (HANDLES[k].includes(low) ? 0 : HANDLES[k].includes(high) ? 1 : 0.5);
  return [x0 + share(0, 2) * (x1 - x0), y0 + share(1, 3) * (y1 - y0)];
}

/** What a press takes: the sides of a handle within `reach`, all four inside the box, or null. */
export function gripAt(box, [x, y], reach) {
  const near = HANDLES.find((_, k) => Math.hypot(placeOf(box, k)[0] - x, placeOf(box, k)[1] - y) < reach);
  const isInside = x > box[0] && x < box[2] && y > box[1] && y < box[3];
  return near || (isInside ? [0, 1, 2, 3] : null);
}

/** The box `held` = {sides, from, box} when the cursor has come from `from` to `to`; it stays in a photo of `size`. */
export function dragged({ sides, from, box }, to, size) {
  let shift = [to[0] - from[0], to[1] - from[1]];
  if (sides.length === 4) shift = shift.map((by, axis) => Math.min(size[axis] - box[axis + 2], Math.max(-box[axis], by)));
  return ordered(box.map((at, side) => (sides.includes(side) ? at + shift[side % 2] : at)));
}

export function drawFrame(context, viewport, [x0, y0, x1, y1]) {
  const [[sx, sy], [ex, ey]] = [viewport.toScreen(x0, y0), viewport.toScreen(x1, y1)];
  for (const [width, style] of [[4, "rgba(0, 0, 0, 0.7)"], [1.8, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.strokeRect(sx, sy, ex - sx, ey - sy);
  }
}
