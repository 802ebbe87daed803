// Drawing a box around a new person, or redrawing the open person's: drag a rectangle, or set two corners with the
// keyboard.
import { get, loadImage, post } from "./api.js";
import { announce, byId, dialog, element, notice } from "./dom.js";
import { drawCrosshair } from "./overlay.js";

export class BoxStage {
  constructor(app) {
    this.app = app;
    this.corner = null;
    this.cursor = [0, 0];
  }

  async start() {
    const photos = await get("/api/photos");
    const select = element("select", {});
    for (const { name, people } of photos) {
      select.append(element("option", { value: name }, `${name} (${people?.length ?? people ?? 0} people)`));
    }
    const field = element("label", { className: "field" }, "Photo", select);
    const choice = await dialog("Draw a box around a person", field, [["", "Cancel"], ["ok", "Choose"]], { focus: select });
    const photo = photos.find(({ name }) => name === select.value);
    if (choice !== "ok" || !photo) return;
    await this.app.close();
    this.app.photo.image = await loadImage(`/api/photos/${photo.id ?? photo.photo_id}/image`);
    this.#begin(photo.name, [photo.width, photo.height]);
    byId("task-name").textContent = photo.name;
  }

  /** Redraws the open person's box; there must be no parts yet, as they are painted on a grid over it. */
  change() {
    const { app } = this;
    if (!app.task || !app.mayEdit()) return;
    if (app.labels.areas()[0] < app.labels.cells.length) {
      return notice("The parts are painted on a grid over the box: clear them before you change it.", "hint");
    }
    this.#begin(app.task.photo, [app.task.width, app.task.height]);
  }

  #begin(name, size) {
    this.name = name;
    this.size = size;
    this.cursor = size.map((side) => side / 2);
    this.corner = null;
    this.app.photo.tool = this;
    this.app.setStage("box");
    byId("photo-hint").textContent =
      "Drag a rectangle around the whole person, with a little margin. Keys: arrows, Enter for each of two corners" +
      (this.app.task ? "; Escape keeps the old box." : ".");
    this.app.photo.fit([0, 0, ...size]);
  }

  /** Cancels the corner, or the redrawing. */
  cancel() {
    if (!this.corner && this.app.task) return this.app.setStage("parts");
    this.corner = null;
    this.app.photo.redraw();
  }

  down(x, y) {
    this.corner = this.#clip(x, y);
    this.cursor = this.corner;
  }

  move(x, y, event, pressed) {
    this.cursor = this.#clip(x, y);
    if (pressed || this.corner) this.app.photo.redraw();
  }

  up(x, y) {
    this.cursor = this.#clip(x, y);
    this.finish();
  }

  moveCursor(dx, dy, large) {
    const step = large ? 20 : 2;
    this.cursor = this.#clip(this.cursor[0] + dx * step, this.cursor[1] + dy * step);
    this.app.photo.viewport.reveal(...this.cursor);
    this.app.photo.redraw();
  }

  act() {
    if (this.corner) return this.finish();
    this.corner = [...this.cursor];
    announce("First corner set");
  }

  async finish() {
    const [a, b] = [this.corner, this.cursor];
    this.corner = null;
    const box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    if (box[2] - box[0] < 8 || box[3] - box[1] < 8) {
      notice("The box is too small: drag from one corner of the person to the other.", "hint");
      return this.app.photo.redraw();
    }
    await this.app.attempt(() => (this.app.task ? this.#replace(box) : this.#add(box)));
  }

  async #add(box) {
    await this.app.open(await post("/api/tasks", { photo: this.name, box_xyxy: box }));
  }

  async #replace(box) {
    this.app.take(await this.app.queue.direct("PUT", `/api/tasks/${this.app.task.id}/box`, { box_xyxy: box }));
    this.app.setStage("parts");
    announce("Box changed");
  }

  draw(context, viewport) {
    const [sx, sy] = viewport.toScreen(...this.cursor);
    drawCrosshair(context, [sx, sy], 2, 12);
    if (!this.corner) return;
    const [cx, cy] = viewport.toScreen(...this.corner);
    for (const [width, style] of [[4, "rgba(0,0,0,.7)"], [1.8, "#fff"]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect(Math.min(sx, cx), Math.min(sy, cy), Math.abs(sx - cx), Math.abs(sy - cy));
    }
  }

  #clip(x, y) {
    return [Math.min(this.size[0], Math.max(0, x)), Math.min(this.size[1], Math.max(0, y))];
  }
}
