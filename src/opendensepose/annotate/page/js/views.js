// The six views of a part: choose one, click into it with the mouse or the crosshair; answers appear in all views.
import { element } from "./dom.js";
import { get } from "./api.js";
import { clear, drawCross, drawMark, overlay, placeIn, sideMarks } from "./view_marks.js";

const RETRY_MS = 3000;
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
  /** `onPick(view, x, y, phase)`: a place in a view's picture; the phase is "down", "drag" or "up". */
  constructor(grid, onPick) {
    this.grid = grid;
    this.onPick = onPick;
    this.views = [];
    this.marks = [];
    this.chosen = 0;
    this.cross = null; // [x, y] in the chosen view
    this.large = false;
    new ResizeObserver(() => this.show(this.marks)).observe(grid);
  }

  /** Shows the views of another part. */
  load(views) {
    if (this.views === views) return;
    this.views = views;
    this.marks = [];
    this.cross = null;
    this.grid.classList.toggle("tall", views.every(({ width, height }) => width < height / 2)); // limbs, side by side
    this.grid.replaceChildren(...views.map((view, index) => this.#cell(view, index)));
    this.choose(Math.min(this.chosen, views.length - 1));
  }

  choose(index) {
    if (!this.views[index]) return;
    if (index !== this.chosen) this.cross = null;
    this.chosen = index;
    [...this.grid.children].forEach((cell, k) => cell.classList.toggle("chosen", k === index));
    this.#drawCross();
  }

  focus() {
    this.grid.children[this.chosen]?.focus({ preventScroll: true });
  }

  toggleLarge() {
    this.large = !this.large;
    this.grid.classList.toggle("large", this.large);
    this.show(this.marks);
  }

  /** Moves the crosshair, in picture pixels; it begins in the middle. */
  moveCross(dx, dy) {
    const view = this.views[this.chosen];
    if (!view) return;
    const [x, y] = this.cross || [view.width / 2, view.height / 2];
    this.cross = [Math.min(view.width, Math.max(0, x + dx)), Math.min(view.height, Math.max(0, y + dy))];
    this.#drawCross();
  }

  /** `marks`: [{number, current, pending, proposed, places: [{view, x, y}]}]; numbered within the part. */
  show(marks) {
    this.marks = marks;
    this.views.forEach((view, k) => {
      const svg = this.#svg(k);
      clear(svg, ".mark");
      for (const mark of [...marks].sort((a, b) => a.current - b.current)) {
        for (const place of mark.places) if (place.view === view.view) drawMark(svg, mark, place);
      }
    });
    this.#drawCross();
  }

  #svg(index) {
    return this.grid.children[index].querySelector("svg");
  }

  #drawCross() {
    this.views.forEach((_, k) => clear(this.#svg(k), ".cross"));
    if (this.cross && this.views[this.chosen]) drawCross(this.#svg(this.chosen), this.cross);
  }

  #cell(view, index) {
    const image = element("img", { alt: "", draggable: false });
    const name = element("span", { className: "view-name" }, element("kbd", {}, String(index + 1)), ` ${view.name}`);
    const sides = Object.entries(view.sides).map(([edge, word]) => `${word} at the ${edge}`).join(", ");
    const label = `View ${index + 1}, ${view.name}${sides ? `; ${sides}` : ""}. Arrows move the crosshair, Enter answers.`;
    const cell = element("div", { className: "view", tabIndex: 0, role: "application", "aria-label": label });
    const svg = overlay(view);
    cell.append(image, svg, name, ...sideMarks(view.sides));
    loadInto(cell, image, view.url);
    cell.addEventListener("focus", () => this.choose(index));
    this.#listen(cell, svg, view, index);
    return cell;
  }

  #listen(cell, svg, view, index) {
    let pressed = false;
    const pick = (event, phase) => {
      const { x, y } = placeIn(svg, event);
      if (x >= 0 && y >= 0 && x <= view.width && y <= view.height) this.onPick(view.view, x, y, phase);
      else if (phase === "up") this.onPick(view.view, undefined, undefined, phase); // let go beside the picture
    };
    cell.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      cell.focus({ preventScroll: true });
      cell.setPointerCapture(event.pointerId);
      this.choose(index);
      this.cross = null;
      pressed = true;
      pick(event, "down");
    });
    cell.addEventListener("pointermove", (event) => pressed && pick(event, "drag"));
    for (const name of ["pointerup", "pointercancel"]) {
      cell.addEventListener(name, (event) => {
        if (pressed) pick(event, "up");
        pressed = false;
      });
    }
  }
}

// On a new machine the server draws the pictures first, which takes a while: shown as loading, and retried.
function loadInto(cell, image, url) {
  cell.classList.add("loading");
  image.addEventListener("load", () => cell.classList.remove("loading"));
  image.addEventListener("error", () => setTimeout(() => cell.isConnected && (image.src = url), RETRY_MS));
  image.src = url;
}
