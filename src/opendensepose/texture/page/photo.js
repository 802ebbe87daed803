"use strict";
// The photo at the left: which pixel is pointed at, and markers on pixels.

class PhotoView {
  constructor(section, data, image) {
    this.section = section;
    this.canvas = section.querySelector("canvas");
    this.data = data;
    this.image = image;
    this.canvas.width = data.width;
    this.canvas.height = data.height;
    this.markers = [];
    this.draw(null);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(section);
    this.fit();
  }

  // Leaves the canvas to the next photo.
  stop() {
    this.observer.disconnect();
    this.mark([]);
  }

  fit() {
    const { clientWidth, clientHeight } = this.section;
    this.scale = Math.min(clientWidth / this.data.width, clientHeight / this.data.height);
    this.canvas.style.width = `${this.data.width * this.scale}px`;
    this.canvas.style.height = `${this.data.height * this.scale}px`;
    this.left = (clientWidth - this.data.width * this.scale) / 2;
    this.top = (clientHeight - this.data.height * this.scale) / 2;
    this.mark(this.markers.map((one) => one.pixel));
  }

  // colourOf: the colour [r, g, b, alpha] of a labelled pixel; null: the photo as it is.
  draw(colourOf) {
    const context = this.canvas.getContext("2d");
    context.drawImage(this.image, 0, 0, this.data.width, this.data.height);
    if (!colourOf) return;
    const layer = new OffscreenCanvas(this.data.width, this.data.height);
    const picture = new ImageData(this.data.width, this.data.height);
    for (const pixel of this.data.labelled) picture.data.set(colourOf(pixel), 4 * pixel);
    layer.getContext("2d").putImageData(picture, 0, 0);
    context.drawImage(layer, 0, 0);
  }

  // The pixel under the pointer.
  pixelAt(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - bounds.left) / this.scale);
    const y = Math.floor((event.clientY - bounds.top) / this.scale);
    return x >= 0 && y >= 0 && x < this.data.width && y < this.data.height ? y * this.data.width + x : null;
  }

  mark(pixels) {
    this.markers.forEach((one) => one.element.remove());
    this.markers = pixels.map((pixel) => {
      const element = document.createElement("div");
      element.className = "marker";
      element.dataset.pixel = pixel;
      element.style.left = `${this.left + ((pixel % this.data.width) + 0.5) * this.scale}px`;
      element.style.top = `${this.top + (Math.floor(pixel / this.data.width) + 0.5) * this.scale}px`;
      this.section.append(element);
      return { pixel, element };
    });
  }
}
