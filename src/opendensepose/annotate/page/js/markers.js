// Shapes that distinguish points without colour, on the photo (canvas) and on the views (SVG).

const polygon = (corners, turn = 0) =>
  Array.from({ length: corners }, (_, k) => {
    const angle = turn + (2 * Math.PI * k) / corners - Math.PI / 2;
    return [Math.cos(angle), Math.sin(angle)];
  });

const star = (tips, inner) =>
  Array.from({ length: 2 * tips }, (_, k) => {
    const angle = (Math.PI * k) / tips - Math.PI / 2;
    const radius = k % 2 ? inner : 1.15;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });

const cross = [
  [-1, -0.35], [-0.35, -0.35], [-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35],
  [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35],
];

/** Outlines about the origin with radius 1. A part has at most 14 points: each shape comes at most twice. */
const SHAPES = [
  { name: "circle", corners: polygon(24) },
  { name: "square", corners: polygon(4, Math.PI / 4) },
  { name: "triangle", corners: polygon(3) },
  { name: "diamond", corners: polygon(4) },
  { name: "star", corners: star(5, 0.5) },
  { name: "cross", corners: cross },
  { name: "triangle pointing down", corners: polygon(3, Math.PI) },
];

export const shapeOf = (number) => SHAPES[(number - 1) % SHAPES.length];

/** Traces a shape on a canvas. */
export function tracePath(context, shape, x, y, radius) {
  context.beginPath();
  shape.corners.forEach(([cx, cy], k) => context[k ? "lineTo" : "moveTo"](x + cx * radius, y + cy * radius));
  context.closePath();
}

/** The same shape as the `points` attribute of an SVG polygon. */
export function svgPoints(shape, x, y, radius) {
  return shape.corners.map(([cx, cy]) => `${(x + cx * radius).toFixed(2)},${(y + cy * radius).toFixed(2)}`).join(" ");
}
