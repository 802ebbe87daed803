// The IUV picture of the annotation so far: beside the photo or over it; points alone or filled.
import { byId } from "./dom.js";

const WAIT_MS = 300;

export class IuvPanel {
  constructor(app) {
    this.app = app;
    this.image = byId("iuv");
    this.over = false;
    this.fill = false;
    this.image.addEventListener("load", () => {
      this.loaded = true;
      this.image.classList.remove("missing");
      app.photo.redraw();
    });
    this.image.addEventListener("error", () => this.#hide());
  }

  #hide() {
    this.loaded = false;
    this.image.classList.add("missing");
  }

  toggleOver() {
    this.over = !this.over;
    this.#show();
  }

  toggleFill() {
    this.fill = !this.fill;
    this.#show();
  }

  #show() {
    byId("iuv-over").checked = this.over;
    byId("iuv-fill").checked = this.fill;
    this.refresh(0);
    this.app.photo.redraw();
  }

  /** Reloads the picture after a short delay, so that several changes in a row load it once. */
  refresh(wait = WAIT_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { task, queue } = this.app;
      if (!task || queue.state === "offline") return;
      if (this.taskId !== task.id) this.#hide(); // what is loaded shows another person
      this.taskId = task.id;
      const url = `/api/tasks/${task.id}/iuv.png?fill=${this.fill ? 1 : 0}&v=${queue.version}`;
      if (this.image.getAttribute("src") !== url) this.image.src = url;
    }, wait);
  }

  draw(context) {
    if (!this.over || !this.loaded || !this.app.task) return;
    context.globalAlpha = 0.8;
    this.app.photo.drawOver(this.image, this.app.task.box_xyxy);
    context.globalAlpha = 1;
  }
}
