// Drawing over a view's picture: answered points with shape and number and the crosshair, as SVG; words at its edges.
import { element } from "./dom.js";
import { shapeOf, svgPoints } from "./markers.js";

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** An empty drawing in the pixels of a view's picture. */
export function overlay({ width, height }) {
  return make("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
}

/** The place of a pointer event in the pixels of the picture. */
export function placeIn(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

// Marks keep their size on the screen, whatever the picture's own size: picture pixels per CSS pixel.
function unitOf(svg) {
  const matrix = svg.getScreenCTM();
  return matrix?.a ? 1 / matrix.a : 1;
}

/** A point at a place: {number, current, pending, proposed}, {x, y}. A proposal is dashed and has a question mark. */
export function drawMark(svg, { number, current, pending, proposed }, { x, y }) {
  const unit = unitOf(svg);
  const group = make("g", { class: `mark${current ? " current" : ""}${pending ? " pending" : ""}${proposed ? " proposed" : ""}` });
  const points = svgPoints(shapeOf(number), x, y, (current ? 8 : 5.5) * unit);
  group.append(make("polygon", { class: "rim", points }), make("polygon", { class: "shape", points }));
  if (current) group.append(make("circle", { cx: x, cy: y, r: 1.4 * unit }));
  const text = make("text", { x: x + 10 * unit, y: y - 7 * unit, "font-size": (current ? 14 : 12) * unit });
  text.setAttribute("stroke-width", 3 * unit);
  text.textContent = proposed ? `${number}?` : number;
  group.append(text);
  svg.append(group);
}

export function drawCross(svg, [x, y]) {
  const unit = unitOf(svg);
  const arms = [[1, 0], [-1, 0], [0, 1], [0, -1]];
  const d = arms.map(([a, b]) => `M${x + a * 4 * unit} ${y + b * 4 * unit}l${a * 14 * unit} ${b * 14 * unit}`).join("");
  svg.append(make("path", { class: "cross rim", d }), make("path", { class: "cross line", d }));
}

export function clear(svg, selector) {
  svg.querySelectorAll(selector).forEach((one) => one.remove());
}

/** Words for which side of the body lies where: "L" and "R" of the person, front, back, what a limb ends in. */
export function sideMarks(sides) {
  return Object.entries(sides).map(([edge, word]) => {
    const isSide = word === "L" || word === "R";
    return element("span", { className: `edge ${edge}${isSide ? " side" : ""}`, dataset: isSide ? { side: word } : {} }, word);
  });
}
