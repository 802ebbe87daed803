// The region of the photo that a canvas shows: `scale` CSS pixels per photo pixel, (x, y) the photo point in the middle.

const MAX_SCALE = 40;

export class Viewport {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.width = 1;
    this.height = 1;
  }

  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  /** Shows a box (x0, y0, x1, y1) of the photo, with a margin (a share of its size). */
  fit([x0, y0, x1, y1], margin = 0.04) {
    this.scale = Math.min(this.width / (x1 - x0), this.height / (y1 - y0)) / (1 + 2 * margin);
    this.scale = Math.min(MAX_SCALE, this.scale);
    this.x = (x0 + x1) / 2;
    this.y = (y0 + y1) / 2;
  }

  /** Moves as little as needed, so that no empty ground shows beside a photo that is large enough to cover it. */
  cover([width, height]) {
    const within = (at, half, size) => (2 * half >= size ? size / 2 : Math.min(size - half, Math.max(half, at)));
    this.x = within(this.x, this.width / 2 / this.scale, width);
    this.y = within(this.y, this.height / 2 / this.scale, height);
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toPhoto(sx, sy) {
    return [(sx - this.width / 2) / this.scale + this.x, (sy - this.height / 2) / this.scale + this.y];
  }

  /** Zooms by `factor`; the photo point under (sx, sy) stays there. */
  zoomAt(sx, sy, factor) {
    const [x, y] = this.toPhoto(sx, sy);
    this.scale = Math.min(MAX_SCALE, Math.max(0.02, this.scale * factor));
    const [nx, ny] = this.toPhoto(sx, sy);
    this.x += x - nx;
    this.y += y - ny;
  }

  /** Moves what is shown by (dx, dy) CSS pixels. */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
  }

  /** Moves as little as needed to show a photo point, `margin` CSS pixels inside the border. */
  reveal(x, y, margin = 30) {
    const [sx, sy] = this.toScreen(x, y);
    this.pan(Math.max(0, margin - sx) - Math.max(0, sx - this.width + margin), 0);
    this.pan(0, Math.max(0, margin - sy) - Math.max(0, sy - this.height + margin));
  }
}
