// Drawing over the photo: the box, the parts with borders and names, the points, crosshairs.
import { GRID } from "./labels.js";
import { tracePath } from "./markers.js";

/** A cached picture of the labels: cells in their part's colour, solid borders between parts. */
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
      if (!label) continue;
      const x = cell % GRID;
      const inner =
        (x === 0 || cells[cell - 1] === label) &&
        (x === GRID - 1 || cells[cell + 1] === label) &&
        cells[cell - GRID] === label &&
        cells[cell + GRID] === label;
      picture.data.set(this.rgb[label], 4 * cell);
      picture.data[4 * cell + 3] = inner ? (label === active ? 215 : 165) : 255;
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
