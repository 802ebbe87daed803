// The photo on a canvas: zoom with the wheel, pan with the right or middle button or with Space held; other pointer
// actions go to `tool` = {down, move, up, leave}(photo x, photo y, event). `layers` are drawn over it in order.
import { Viewport } from "./viewport.js";

export class PhotoView {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.viewport = new Viewport();
    this.image = null;
    this.layers = [];
    this.tool = {};
    this.dragging = null;
    this.spaceHeld = false;
    this.#listen();
  }

  /** Asks for a new drawing at the next frame. */
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  fit(box, margin) {
    this.focus = [box, margin];
    this.viewport.fit(box, margin);
    this.#cover();
    this.redraw();
  }

  #cover() {
    if (this.image) this.viewport.cover([this.image.naturalWidth, this.image.naturalHeight]);
  }

  zoom(factor) {
    this.viewport.zoomAt(this.viewport.width / 2, this.viewport.height / 2, factor);
    this.focus = null;
    this.redraw();
  }

  pan(dx, dy) {
    this.viewport.pan(dx, dy);
    this.focus = null;
    this.redraw();
  }

  #draw() {
    const { context, viewport, canvas } = this;
    const ratio = window.devicePixelRatio;
    if (ratio !== this.ratio) return this.#resize(); // the window was moved to another screen
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.image) return;
    this.#cover();
    context.imageSmoothingEnabled = viewport.scale < 6;
    context.imageSmoothingQuality = "high";
    this.drawOver(this.image, [0, 0, this.image.naturalWidth, this.image.naturalHeight]);
    for (const layer of this.layers) {
      context.save();
      layer(context, viewport);
      context.restore();
    }
  }

  /** Draws a picture over a box of the photo. */
  drawOver(picture, [x0, y0, x1, y1]) {
    const [sx, sy] = this.viewport.toScreen(x0, y0);
    const { scale } = this.viewport;
    this.context.drawImage(picture, sx, sy, (x1 - x0) * scale, (y1 - y0) * scale);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.ratio = window.devicePixelRatio;
    this.canvas.width = Math.round(clientWidth * this.ratio);
    this.canvas.height = Math.round(clientHeight * this.ratio);
    this.viewport.resize(clientWidth, clientHeight);
    if (this.focus) this.viewport.fit(...this.focus);
    this.#draw();
  }

  #place(event) {
    const bounds = this.canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  }

  #listen() {
    const { canvas } = this;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const step = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
        this.viewport.zoomAt(...this.#place(event), Math.exp(-step / 400));
        this.focus = null;
        this.redraw();
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#up(event));
    canvas.addEventListener("pointerleave", () => this.tool.leave?.());
  }

  #down(event) {
    if (!this.image) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const panning = event.button !== 0 || this.spaceHeld;
    this.dragging = { panning, at: this.#place(event) };
    this.canvas.classList.toggle("panning", panning);
    if (!panning) this.tool.down?.(...this.viewport.toPhoto(...this.dragging.at), event);
  }

  #move(event) {
    const at = this.#place(event);
    if (this.dragging?.panning) {
      this.pan(at[0] - this.dragging.at[0], at[1] - this.dragging.at[1]);
      this.dragging.at = at;
    } else {
      this.tool.move?.(...this.viewport.toPhoto(...at), event, Boolean(this.dragging));
    }
  }

  #up(event) {
    if (this.dragging && !this.dragging.panning) {
      this.tool.up?.(...this.viewport.toPhoto(...this.#place(event)), event);
    }
    this.dragging = null;
    this.canvas.classList.remove("panning");
  }
}
