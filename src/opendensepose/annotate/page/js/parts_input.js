// Stage 1's input: the pointer, the keyboard's cursor and the lists call PartsStage.
import { byId, element } from "./dom.js";
import { drawCrosshair, drawText } from "./overlay.js";
import { keyLabel, keysOf } from "./keys.js";
import { GRID } from "./labels.js";

const HINTS = {
  brush: "Paint with the left button. Drag with the right button or Space held to move the photo; the wheel zooms.",
  erase: "Erase any part with the left button.",
  polygon: "Click the corners of the part; click the first one again, or press C, to close it. Esc cancels.",
  fill: "Click an area enclosed by a line to fill it, or a drawn area to make it this part.",
};

export class PartsInput {
  constructor(stage) {
    this.stage = stage;
    this.cursor = null; // [x, y] in cells, after the keyboard was used
    this.pointer = null;
    this.penDown = false;
  }

  hint() {
    return HINTS[this.stage.tool];
  }

  down(x, y) {
    const { stage } = this;
    const at = stage.toCell(x, y);
    this.cursor = null;
    this.liftPen();
    if (stage.tool === "polygon") stage.addCorner(at);
    else if (stage.tool === "fill") stage.fillAt(at);
    else stage.strokeBegin(at);
  }

  move(x, y, event, pressed) {
    const { stage } = this;
    this.pointer = stage.toCell(x, y);
    if (pressed && !this.penDown) stage.strokeTo(this.pointer);
    stage.app.photo.redraw();
  }

  up() {
    if (!this.penDown) this.stage.strokeEnd();
  }

  leave() {
    this.pointer = null;
    this.stage.app.photo.redraw();
  }

  /** Moves the keyboard's cursor, in cells; a lowered brush paints along. */
  moveCursor(dx, dy, large) {
    const step = large ? 10 : 1;
    const [x, y] = this.cursor || [GRID / 2 + 0.5, GRID / 2 + 0.5];
    const clamp = (value) => Math.min(GRID - 0.5, Math.max(0.5, value));
    this.cursor = [clamp(x + dx * step), clamp(y + dy * step)];
    if (this.penDown) this.stage.strokeTo(this.cursor);
    const { photo } = this.stage.app;
    photo.viewport.reveal(...this.stage.toPhoto(...this.cursor));
    photo.redraw();
  }

  act() {
    const { stage } = this;
    this.cursor ||= [GRID / 2 + 0.5, GRID / 2 + 0.5];
    if (stage.tool === "polygon") return stage.addCorner([...this.cursor]);
    if (stage.tool === "fill") return stage.fillAt(this.cursor);
    if (this.penDown) return this.liftPen();
    stage.strokeBegin(this.cursor);
    this.penDown = true;
    stage.app.photo.redraw();
  }

  liftPen() {
    if (!this.penDown) return;
    this.penDown = false;
    this.stage.strokeEnd();
  }

  /** Draws the unfinished outline, the brush and the cursor over the photo. */
  draw(context, viewport) {
    const { stage } = this;
    const screen = ([x, y]) => viewport.toScreen(...stage.toPhoto(x, y));
    const tip = this.cursor || this.pointer;
    if (stage.corners.length) {
      const path = [...stage.corners, ...(tip ? [tip] : [])].map(screen);
      for (const [width, style] of [[4, "rgba(0,0,0,.8)"], [1.8, "#fff"]]) {
        context.lineWidth = width;
        context.strokeStyle = style;
        context.beginPath();
        path.forEach(([sx, sy], k) => context[k ? "lineTo" : "moveTo"](sx, sy));
        context.stroke();
      }
      stage.corners.map(screen).forEach(([sx, sy]) => drawText(context, "•", sx, sy, 16));
    }
    if (!tip) return;
    const [sx, sy] = screen(tip);
    if (stage.tool === "brush" || stage.tool === "erase") this.#drawBrush(context, viewport, sx, sy);
    if (this.cursor) drawCrosshair(context, [sx, sy], this.penDown ? 3 : 6, 8, this.penDown ? "#ffd166" : "#fff");
  }

  #drawBrush(context, viewport, sx, sy) {
    const { stage } = this;
    const [x0, y0, x1, y1] = stage.app.task.box_xyxy;
    const radius = (stage.radius * Math.max(x1 - x0, y1 - y0) * viewport.scale) / GRID;
    for (const [width, style] of [[3, "rgba(0,0,0,.7)"], [1.4, "#fff"]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.setLineDash(stage.tool === "erase" ? [4, 3] : []);
      context.beginPath();
      context.arc(sx, sy, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Updates the list of parts and the tools. */
  show() {
    const { stage } = this;
    const areas = stage.app.labels.areas();
    const list = byId("parts-list");
    if (!list.children.length) this.#fillList(list);
    for (const button of list.querySelectorAll("button")) {
      const part = Number(button.dataset.part);
      button.setAttribute("aria-pressed", part === stage.part);
      const sign = button.querySelector(".drawn");
      sign.textContent = areas[part] ? "✓" : "–";
      sign.setAttribute("aria-label", areas[part] ? "drawn" : "not drawn");
    }
    for (const button of document.querySelectorAll(".tools [data-action]")) {
      button.setAttribute("aria-pressed", button.dataset.action === `tool-${stage.tool}`);
    }
    byId("brush-size").value = stage.radius;
    byId("brush-size-value").textContent = `${2 * stage.radius} cells`;
    byId("keep-others").checked = stage.keepOthers;
  }

  #fillList(list) {
    for (const { id, colour } of this.stage.app.session.parts) {
      const swatch = element("i", { className: "swatch" });
      swatch.style.backgroundColor = colour;
      const key = element("kbd", { dataset: { keyOf: `part-${id}` } }, keyLabel(keysOf(`part-${id}`)[0] || ""));
      const button = element("button", { type: "button", dataset: { part: id } });
      button.append(swatch, element("span", { className: "name" }, this.stage.app.partName(id)), element("span", { className: "drawn", role: "img" }), key);
      button.addEventListener("click", () => this.stage.select(id));
      list.append(element("li", {}, button));
    }
  }
}
