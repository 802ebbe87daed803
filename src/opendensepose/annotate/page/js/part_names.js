// The names of the painted parts over the photo: in full where there is room, else short and beside the part, with a line
// to it. No name covers another.
import { shortName } from "./keys.js";
import { GRID, centroidsOf } from "./labels.js";
import { drawText } from "./overlay.js";

const BESIDE = [[0, 0], [1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];

export function drawPartNames(app, context, viewport) {
  const [x0, , x1] = app.task.box_xyxy;
  const taken = [];
  const first = app.parts.part; // the chosen part's name goes where it likes
  const named = [...centroidsOf(app.labels)].sort((a, b) => (b[0] === first) - (a[0] === first) || b[2] - a[2]);
  for (const [part, centre, area] of named) {
    const room = ((Math.sqrt(area) * (x1 - x0)) / GRID) * viewport.scale; // CSS pixels across
    const size = part === first ? 14 : 11;
    context.font = `600 ${size}px system-ui, sans-serif`;
    const full = app.partName(part);
    const text = part === first || context.measureText(full).width < room ? full : shortName(full);
    const half = [context.measureText(text).width / 2 + 4, size / 2 + 4];
    const at = viewport.toScreen(...app.parts.toPhoto(...centre));
    const place = freePlace(at, half, room / 2, taken, viewport);
    if (!place) continue;
    taken.push([place, half]);
    if (Math.hypot(place[0] - at[0], place[1] - at[1]) > half[1]) drawLead(context, at, place, half);
    drawText(context, text, ...place, size);
  }
}

/** The first place in or beside the part that is in sight and free. */
function freePlace([x, y], [halfWidth, halfHeight], reach, taken, { width, height }) {
  for (const far of [1, 2]) {
    for (const [dx, dy] of BESIDE) {
      const place = [x + dx * (halfWidth + reach * far), y + dy * (halfHeight + reach * far)];
      const isInSight = place[0] > halfWidth && place[1] > halfHeight && place[0] < width - halfWidth && place[1] < height - halfHeight;
      const isFree = taken.every(([other, half]) => Math.abs(other[0] - place[0]) > half[0] + halfWidth || Math.abs(other[1] - place[1]) > half[1] + halfHeight);
      if (isInSight && isFree) return place;
    }
  }
  return null;
}

function drawLead(context, [ax, ay], [bx, by], [halfWidth, halfHeight]) {
  const end = [Math.min(bx + halfWidth, Math.max(bx - halfWidth, ax)), Math.min(by + halfHeight, Math.max(by - halfHeight, ay))];
  for (const [width, style] of [[3, "rgba(0, 0, 0, 0.8)"], [1.2, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(...end);
    context.stroke();
  }
}
