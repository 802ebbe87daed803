// The colours of the largest person in the photo, on the body's texture; clay where the photo does not show it.
const SIDE = 512, CLAY = [150, 155, 165];
const REACHES = [3, 1];  // texels around a pixel's that take its colour: first far, to close gaps, then near

// data, image: the labels and the photo, or null for clay alone. Returns a canvas.
export function bodyColours(body, data, image) {
  const canvas = new OffscreenCanvas(SIDE, SIDE), context = canvas.getContext("2d");
  context.fillStyle = `rgb(${CLAY.join(",")})`;
  context.fillRect(0, 0, SIDE, SIDE);
  if (!data || !data.labelled.length) return canvas;
  const photo = new OffscreenCanvas(data.width, data.height).getContext("2d");
  photo.drawImage(image, 0, 0, data.width, data.height);
  const seen = new Uint32Array(photo.getImageData(0, 0, data.width, data.height).data.buffer);
  const picture = context.getImageData(0, 0, SIDE, SIDE), texels = new Uint32Array(picture.data.buffer);
  const who = largest(data), pixels = data.labelled.filter((pixel) => data.person[pixel] === who);
  for (const reach of REACHES) {
    for (const pixel of pixels) paint(texels, textureXy(body, data, pixel), reach, seen[pixel]);
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

function paint(texels, [x, y], reach, colour) {
  for (let row = Math.max(0, y - reach); row <= Math.min(SIDE - 1, y + reach); row++) {
    texels.fill(colour, row * SIDE + Math.max(0, x - reach), row * SIDE + Math.min(SIDE - 1, x + reach) + 1);
  }
}

function largest(data) {
  const counts = new Map();
  for (const pixel of data.labelled) counts.set(data.person[pixel], (counts.get(data.person[pixel]) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1])[0][0];
}

function textureXy(body, data, pixel) {
  const second = data.first[pixel] / 255, third = data.second[pixel] / 255, weights = [1 - second - third, second, third];
  return [0, 1].map((axis) => {
    const place = weights.reduce((sum, w, k) => sum + w * body.textureXy[2 * body.faces[3 * data.face[pixel] + k] + axis], 0);
    return Math.min(SIDE - 1, Math.floor(SIDE * place));
  });
}
