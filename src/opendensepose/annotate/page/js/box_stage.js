// The box: drawn around a new person, or the open person's changed by its handles. By keyboard: arrows move the cursor,
// Enter takes a handle and lets go, or sets the corners of a new box.
import { loadImage, post } from "./api.js";
import { HANDLES, dragged, drawFrame, gripAt, ordered, placeOf } from "./box_handles.js";
import { BoxSaving } from "./box_saving.js";
import { announce, byId, notice } from "./dom.js";
import { drawCrosshair, drawHandle } from "./overlay.js";
import { openAddress } from "./people.js";
import { choosePhoto } from "./photo_choice.js";
import { goToParts } from "./stages.js";

const [GRAB_PX, LEAST_PX] = [12, 8]; // CSS pixels within which a press takes a handle; photo pixels of a side

export class BoxStage {
  constructor(app) {
    this.app = app;
    this.cursor = [0, 0];
    this.saving = new BoxSaving(app, (box) => {
      this.box = [...box];
      app.photo.redraw();
    });
  }

  /** Draws a new person's box in the open photo, or in one to choose. */
  async start() {
    const { task } = this.app;
    const photo = task ? { ...task, name: task.photo, id: task.photo_id } : await choosePhoto();
    if (!photo) return openAddress(this.app);
    await this.app.close();
    return this.#begin(photo);
  }

  async #begin(photo) {
    this.app.photo.image = await loadImage(`/api/photos/${photo.id}/image`);
    this.#show(photo.name, [photo.width, photo.height], null);
    byId("task-name").textContent = `New person · ${photo.name}`;
    byId("photo-hint").textContent = "Drag a rectangle around the whole person, with a little margin. Keys: arrows, Enter for each of two corners.";
  }

  /** Changes the open person's box; there must be no parts, as they are painted on a grid over it. */
  change() {
    const { app } = this;
    if (!app.task || !app.mayEdit()) return;
    if (!app.labels.isEmpty) {
      return void notice("The parts are painted on a grid over the box: clear all parts before you change it.", "hint");
    }
    this.#show(app.task.photo, [app.task.width, app.task.height], [...app.task.box_xyxy]);
    byId("photo-hint").textContent = "Drag a handle, or drag inside to move the box, or draw a new one beside it. Keys: H goes to the next handle.";
  }

  #show(name, size, box) {
    Object.assign(this, { name, size, box, corner: null, held: null, cursor: size.map((side) => side / 2) });
    this.app.photo.tool = this;
    byId("box-done").textContent = this.app.task ? "Done" : "Cancel"; // changes of a box are saved as they are made
    this.app.setStage("box");
    this.app.photo.fit([0, 0, ...size]);
  }

  /** Lets go of a corner; else leaves the stage. */
  cancel() {
    if (!this.corner && !this.held) return this.done();
    if (this.held) this.box = this.held.box;
    this.corner = this.held = null;
    return this.app.photo.redraw();
  }

  done() {
    return this.app.task ? goToParts(this.app) : this.app.move(() => openAddress(this.app));
  }

  #gripAt(x, y) {
    return this.box && gripAt(this.box, [x, y], GRAB_PX / this.app.photo.viewport.scale);
  }

  down(x, y, event, grip = this.#gripAt(x, y)) {
    this.cursor = this.#clip(x, y);
    if (grip) this.held = { sides: grip, from: this.cursor, box: [...this.box] };
    else this.corner = this.cursor;
    this.app.photo.redraw();
  }

  move(x, y, event, pressed) {
    this.cursor = this.#clip(x, y);
    if (this.held && pressed) this.box = dragged(this.held, this.cursor, this.size);
    this.app.photo.redraw();
  }

  up(x, y) {
    this.cursor = this.#clip(x, y);
    if (this.corner || this.held) this.#finish(); // else Escape was pressed meanwhile
  }

  moveCursor(dx, dy, large) {
    const step = large ? 20 : 2;
    this.move(this.cursor[0] + dx * step, this.cursor[1] + dy * step, null, true);
    this.app.photo.viewport.reveal(...this.cursor);
  }

  nextHandle() {
    if (!this.box || this.held) return;
    this.handle = ((this.handle ?? -1) + 1) % HANDLES.length;
    this.move(...placeOf(this.box, this.handle));
    announce(`Handle ${this.handle + 1} of ${HANDLES.length}; Enter takes it`);
  }

  act() {
    if (this.corner || this.held) return this.#finish();
    const grip = this.#gripAt(...this.cursor);
    this.down(...this.cursor, null, grip?.length < 4 ? grip : null);
    return announce(this.held ? "Handle taken" : "First corner set");
  }

  async #finish() {
    const { held } = this;
    const box = held ? dragged(held, this.cursor, this.size) : ordered([...this.corner, ...this.cursor]);
    this.corner = this.held = null;
    if (box[2] - box[0] < LEAST_PX || box[3] - box[1] < LEAST_PX) {
      if (held) this.box = held.box;
      notice("The box is too small: drag from one corner of the person to the other.", "hint");
      return this.app.photo.redraw();
    }
    const { app } = this;
    return app.attempt(async () => {
      if (!app.task) return app.move(async () => app.open(await post("/api/tasks", { photo: this.name, box_xyxy: box })));
      this.saving.change(held ? held.box : this.box, box);
      if (!held) await app.queue.flush(); // a handle may be followed by another
      return held || app.setStage("parts");
    });
  }

  draw(context, viewport) {
    if (this.box) drawFrame(context, viewport, this.box);
    HANDLES.forEach((_, k) => this.box && drawHandle(context, viewport.toScreen(...placeOf(this.box, k)), 4.5));
    if (this.corner) drawFrame(context, viewport, ordered([...this.corner, ...this.cursor]));
    drawCrosshair(context, viewport.toScreen(...this.cursor), 2, 12, this.held ? "#ffd166" : "#fff");
  }

  #clip(x, y) {
    return [Math.min(this.size[0], Math.max(0, x)), Math.min(this.size[1], Math.max(0, y))];
  }
}
