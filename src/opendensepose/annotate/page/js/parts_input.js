// Stage 1's input: the pointer, the keyboard's cursor and the lists call PartsStage.
import { byId, element } from "./dom.js";
import { drawBrush, drawCrosshair, drawOutline } from "./overlay.js";
import { keyLabel, keysOf, sideOf } from "./keys.js";
import { GRID } from "./labels.js";

const HINTS = {
  brush: "Paint with the left button. The wheel zooms; the right button, or Space held, moves the photo.",
  erase: "Erase any part with the left button.",
  polygon: "Click the corners of the part; click the first one again, or press C, to close it. Then drag its corners. Esc cancels.",
  snap: "Drag once around the part, roughly along its border: the line snaps to the photo's edges, as far as the size reaches.",
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
    return this.stage.app.task?.editable ? HINTS[this.stage.tool] : "Read only. The wheel zooms; drag with the right button to move the photo.";
  }

  down(x, y, event) {
    const { stage } = this;
    const at = stage.toCell(x, y);
    this.cursor = null;
    stage.strokeEnd();
    if (stage.outline.grab(at, event.shiftKey)) return;
    if (stage.tool === "polygon") stage.outline.add(at);
    else if (stage.tool === "snap") stage.outline.draw(at);
    else if (stage.tool === "fill") stage.fillAt(at);
    else stage.strokeBegin(at);
    stage.app.photo.redraw();
  }

  move(x, y, event, pressed) {
    const { stage } = this;
    this.pointer = stage.toCell(x, y);
    if (pressed && !this.penDown) {
      stage.outline.dragTo(this.pointer);
      stage.strokeTo(this.pointer);
    }
    stage.app.photo.redraw();
  }

  up() {
    if (this.penDown) return;
    this.stage.strokeEnd();
    this.stage.app.attempt(() => this.stage.outline.drop());
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
    if (stage.tool === "polygon" || stage.tool === "snap") {
      const snapping = stage.outline.add([...this.cursor]);
      stage.app.photo.redraw();
      return snapping;
    }
    if (stage.tool === "fill") return stage.fillAt(this.cursor);
    if (this.penDown) return stage.strokeEnd();
    stage.strokeBegin(this.cursor);
    this.penDown = stage.stroke !== null;
    return stage.app.photo.redraw();
  }

  /** Draws the unfinished outline, the brush and the cursor over the photo. */
  draw(context, viewport) {
    const { stage } = this;
    const screen = ([x, y]) => viewport.toScreen(...stage.toPhoto(x, y));
    const tip = this.cursor || this.pointer;
    const outline = stage.outline.shown(tip);
    const reach = stage.radiusInPhoto() * viewport.scale;
    if (outline) drawOutline(context, outline.path.map(screen), outline.corners.map(screen), outline.closed, outline.reach ? reach : 0);
    if (!tip || !stage.app.task.editable) return;
    const [sx, sy] = screen(tip);
    if (["brush", "erase", "snap"].includes(stage.tool)) drawBrush(context, [sx, sy], reach, stage.tool !== "brush");
    if (this.cursor) drawCrosshair(context, [sx, sy], this.penDown ? 3 : 6, 8, this.penDown ? "#ffd166" : "#fff");
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
    byId("brush-size-value").textContent = `${Math.max(1, Math.round(2 * stage.radiusInPhoto()))} px`;
    byId("keep-others").checked = stage.keepOthers;
  }

  #fillList(list) {
    for (const { id, colour } of this.stage.app.session.parts) {
      const swatch = element("i", { className: "swatch", "aria-hidden": "true" }, sideOf(this.stage.app.partName(id)));
      swatch.style.backgroundColor = colour;
      if (swatch.textContent === "R") swatch.style.color = "#fff"; // right parts are dark
      const key = element("kbd", { dataset: { keyOf: `part-${id}` } }, keyLabel(keysOf(`part-${id}`)[0] || ""));
      const button = element("button", { type: "button", dataset: { part: id } });
      button.append(swatch, element("span", { className: "name" }, this.stage.app.partName(id)), element("span", { className: "drawn", role: "img" }), key);
      button.addEventListener("click", () => this.stage.select(id));
      list.append(element("li", {}, button));
    }
  }
}
