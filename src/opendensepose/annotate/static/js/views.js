// The six views of a part: choose one, point into it with the mouse or with the crosshair, see every answer in all.
import { element } from "./dom.js";
import { get } from "./api.js";
import { shapeOf, svgPoints } from "./markers.js";

const SVG = "http://www.w3.org/2000/svg";
const known = new Map(); // part -> promise of its views

/** The views of a part; their pictures are fetched in advance. */
export function viewsOf(part) {
  if (!known.has(part)) {
    const views = get(`/api/views/${part}`).then(({ views }) => {
      for (const { url } of views) new Image().src = url;
      return views;
    });
    views.catch(() => known.delete(part));
    known.set(part, views);
  }
  return known.get(part);
}

export class ViewsPanel {
  /** `onPick(view, x, y, dragged)` is called with a place in a view's picture. */
  constructor(grid, onPick) {
    this.grid = grid;
    this.onPick = onPick;
    this.views = [];
    this.chosen = 0;
    this.cross = null; // [x, y] in the chosen view
    this.large = false;
  }

  /** Shows the views of another part. */
  load(views) {
    if (this.views === views) return;
    this.views = views;
    this.cross = null;
    this.grid.replaceChildren(...views.map((view, index) => this.#cell(view, index)));
    this.choose(Math.min(this.chosen, views.length - 1));
  }

  choose(index) {
    if (!this.views[index]) return;
    if (index !== this.chosen) this.cross = null;
    this.chosen = index;
    [...this.grid.children].forEach((cell, k) => cell.classList.toggle("chosen", k === index));
    this.grid.classList.toggle("large", this.large);
    this.#drawCross();
  }

  focus() {
    this.grid.children[this.chosen]?.focus({ preventScroll: true });
  }

  toggleLarge() {
    this.large = !this.large;
    this.choose(this.chosen);
  }

  /** Moves the crosshair, in picture pixels; it begins in the middle. */
  moveCross(dx, dy) {
    const view = this.views[this.chosen];
    if (!view) return;
    const [x, y] = this.cross || [view.width / 2, view.height / 2];
    this.cross = [Math.min(view.width, Math.max(0, x + dx)), Math.min(view.height, Math.max(0, y + dy))];
    this.#drawCross();
  }

  /** `marks`: [{number, current, pending, places: [{view, x, y}]}]; numbered within the part. */
  show(marks) {
    this.marks = marks;
    this.views.forEach((view, k) => {
      const svg = this.grid.children[k].querySelector("svg");
      svg.querySelectorAll(".mark").forEach((mark) => mark.remove());
      for (const mark of marks) {
        for (const place of mark.places) if (place.view === view.view) svg.append(this.#mark(view, svg, mark, place));
      }
    });
    this.#drawCross();
  }

  #cell(view, index) {
    const image = element("img", { src: view.url, alt: "", draggable: false });
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`);
    svg.setAttribute("aria-hidden", "true");
    const name = element("span", { className: "view-name" }, element("kbd", {}, String(index + 1)), ` ${view.name}`);
    const label = `View ${index + 1}, ${view.name}. Arrows move the crosshair, Enter answers.`;
    const cell = element("div", { className: "view", tabIndex: 0, role: "application", "aria-label": label });
    cell.append(image, svg, name);
    cell.addEventListener("focus", () => this.choose(index));
    this.#listen(cell, svg, view, index);
    return cell;
  }

  #listen(cell, svg, view, index) {
    let pressed = false;
    const pick = (event, dragged) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const inside = place.x >= 0 && place.y >= 0 && place.x <= view.width && place.y <= view.height;
      if (inside) this.onPick(view.view, place.x, place.y, dragged);
    };
    cell.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      cell.focus({ preventScroll: true });
      cell.setPointerCapture(event.pointerId);
      this.choose(index);
      this.cross = null;
      pressed = true;
      pick(event, false);
    });
    cell.addEventListener("pointermove", (event) => pressed && pick(event, true));
    for (const name of ["pointerup", "pointercancel"]) {
      cell.addEventListener(name, (event) => {
        if (pressed && name === "pointerup") pick(event, "end");
        pressed = false;
      });
    }
  }

  // Sizes are in CSS pixels on the screen, whatever the picture's own size.
  #unit(view, svg) {
    const size = svg.getBoundingClientRect();
    return size.width ? Math.max(view.width / size.width, view.height / size.height) : 1;
  }

  #mark(view, svg, { number, current, pending }, { x, y }) {
    const unit = this.#unit(view, svg);
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", `mark${current ? " current" : ""}${pending ? " pending" : ""}`);
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", svgPoints(shapeOf(number), x, y, (current ? 8 : 5.5) * unit));
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", x + 10 * unit);
    text.setAttribute("y", y - 7 * unit);
    text.setAttribute("font-size", 12 * unit);
    text.textContent = number;
    group.append(shape, text);
    if (current) group.append(dot(x, y, 1.3 * unit));
    return group;
  }

  #drawCross() {
    this.grid.querySelectorAll(".cross").forEach((cross) => cross.remove());
    const view = this.views[this.chosen];
    if (!view || !this.cross) return;
    const svg = this.grid.children[this.chosen].querySelector("svg");
    const unit = this.#unit(view, svg);
    const [x, y] = this.cross;
    const arms = [[1, 0], [-1, 0], [0, 1], [0, -1]];
    const path = arms.map(([a, b]) => `M${x + a * 4 * unit} ${y + b * 4 * unit}l${a * 14 * unit} ${b * 14 * unit}`);
    for (const kind of ["rim", "line"]) {
      const cross = document.createElementNS(SVG, "path");
      cross.setAttribute("class", `cross ${kind}`);
      cross.setAttribute("d", path.join(""));
      svg.append(cross);
    }
  }
}

function dot(x, y, radius) {
  const made = document.createElementNS(SVG, "circle");
  made.setAttribute("cx", x);
  made.setAttribute("cy", y);
  made.setAttribute("r", radius);
  return made;
}
