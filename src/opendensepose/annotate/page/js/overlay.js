// Drawing over the photo: the box, the parts with borders and names, the points, crosshairs.
import { GRID } from "./labels.js";
import { tracePath } from "./markers.js";

/** A cached picture of the labels: cells in their part's colour, solid borders, and around all parts a dark rim. */
export class LabelPicture {
  constructor(colours) {
    this.rgb = colours.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = GRID;
    this.edition = -1;
  }

  of(labels, active) {
    if (this.edition === labels.edition && this.active === active) return this.canvas;
    const { cells } = labels;
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(GRID, GRID);
    for (let cell = 0; cell < cells.length; cell++) {
      const label = cells[cell];
      const x = cell % GRID;
      const around = [x ? cells[cell - 1] : label, x < GRID - 1 ? cells[cell + 1] : label, cells[cell - GRID], cells[cell + GRID]];
      const inner = around.every((other) => other === label);
      if (!label && (inner || around.every((other) => !other))) continue;
      picture.data.set(this.rgb[label], 4 * cell);
      picture.data[4 * cell + 3] = inner ? (label === active ? 205 : 150) : 255;
    }
    context.putImageData(picture, 0, 0);
    this.edition = labels.edition;
    this.active = active;
    return this.canvas;
  }
}

export function drawBox(context, viewport, box) {
  const [sx, sy] = viewport.toScreen(box[0], box[1]);
  const [ex, ey] = viewport.toScreen(box[2], box[3]);
  context.fillStyle = "rgba(12, 13, 15, 0.55)"; // outside of the box the photo is dimmed
  context.beginPath();
  context.rect(0, 0, viewport.width, viewport.height);
  context.rect(sx, sy, ex - sx, ey - sy);
  context.fill("evenodd");
  context.strokeStyle = "rgba(255, 255, 255, 0.75)";
  context.lineWidth = 1;
  context.setLineDash([5, 4]);
  context.strokeRect(sx, sy, ex - sx, ey - sy);
}

/** Short text with a dark outline, readable on any photo. */
export function drawText(context, text, sx, sy, size = 12) {
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = "rgba(0, 0, 0, 0.85)";
  context.strokeText(text, sx, sy);
  context.fillStyle = "#fff";
  context.fillText(text, sx, sy);
}

/** A point: shape `shape`, white with a dark outline; hollow if it has no answer yet. */
export function drawPoint(context, [sx, sy], { shape, colour, answered, radius }) {
  tracePath(context, shape, sx, sy, radius);
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = "rgba(0, 0, 0, 0.85)";
  context.stroke();
  if (answered) {
    context.fillStyle = colour;
    context.fill();
  }
  context.lineWidth = 1.6;
  context.strokeStyle = "#fff";
  context.stroke();
}

/** A crosshair with a free centre, for the current point and for the keyboard's cursor. */
export function drawCrosshair(context, [sx, sy], gap = 9, length = 13, colour = "#fff") {
  for (const [width, style] of [[4, "rgba(0, 0, 0, 0.8)"], [1.6, colour]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(sx + dx * gap, sy + dy * gap);
      context.lineTo(sx + dx * (gap + length), sy + dy * (gap + length));
    }
    context.stroke();
  }
}

/** A line with a dark rim: an outline with its corners; `reach`, if any, is how far it may move, in CSS pixels. */
export function drawOutline(context, path, corners, closed, reach) {
  const lines = [[4, "rgba(0, 0, 0, 0.8)"], [1.8, "#fff"]];
  if (reach) lines.unshift([2 * reach, "rgba(255, 255, 255, 0.25)"]);
  context.lineJoin = context.lineCap = "round";
  for (const [width, style] of lines) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    path.forEach(([sx, sy], k) => context[k ? "lineTo" : "moveTo"](sx, sy));
    if (closed) context.closePath();
    context.stroke();
  }
  corners.forEach((corner) => drawHandle(context, corner));
}

/** A small square to drag. */
export function drawHandle(context, [sx, sy], half = 3.5, colour = "#fff") {
  context.setLineDash([]);
  context.lineWidth = 1.5;
  context.fillStyle = colour;
  context.strokeStyle = "#000";
  context.beginPath();
  context.rect(sx - half, sy - half, 2 * half, 2 * half);
  context.fill();
  context.stroke();
}

export function drawBrush(context, [sx, sy], radius, dashed) {
  for (const [width, style] of [[3, "rgba(0, 0, 0, 0.7)"], [1.4, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.setLineDash(dashed ? [4, 3] : []);
    context.beginPath();
    context.arc(sx, sy, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}
