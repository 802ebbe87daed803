"use strict";
// What links the photo and the body: what one is pointed at, the other marks, and the line below says.

function nearestVertex(data, face, second, third) {
  const weights = [1 - second - third, second, third];
  return data.surfaceVertex[data.faces[3 * face + weights.indexOf(Math.max(...weights))]];
}

// Column and row, in the photo as it was sent, of the middle of a pixel of the labels.
function photoPixel(data, pixel) {
  return [pixel % data.width, Math.floor(pixel / data.width)].map((at) => Math.floor((at + 0.5) * data.step));
}

// The line below: chart, U, V, the place at rest and the nearest vertex; then the pixels.
function say(data, point, pixels) {
  const { face, second, third, place } = point, { chart, u, v } = chartPoint(data, face, second, third);
  const [x, up, front] = place.map((metres) => (100 * metres).toFixed(1));
  const where = pixels.map((pixel) => `person ${data.person[pixel]}, pixel ${photoPixel(data, pixel).join(", ")}`);
  const line = document.getElementById("said");
  line.innerHTML = `<b>I ${chart}</b> ${data.chartNames[chart]} &nbsp; <b>U ${u.toFixed(3)} V ${v.toFixed(3)}</b>
    &nbsp; left ${x} cm, up ${up} cm, front ${front} cm &nbsp; vertex ${nearestVertex(data, face, second, third)}
    &nbsp; ${where.join(" &nbsp; ") || "not seen in the photo"}`;
  Object.assign(line.dataset, { chart, u, v, vertex: nearestVertex(data, face, second, third) });
}

function normalOf(data, face) {
  return [0, 1, 2].map((axis) => data.normals[3 * data.faces[3 * face] + axis]);
}

// signal: an AbortSignal that parts them again.
function link(data, photo, body, signal) {
  let pending = null;
  const on = (view, kind, action) => view.section.addEventListener(kind, action, { signal });
  const soon = (action) => {
    if (!pending) requestAnimationFrame(() => {
      const latest = pending;
      pending = null;
      if (!signal?.aborted) latest();
    });
    pending = action;
  };
  on(photo, "pointermove", (event) => soon(() => {
    const pixel = photo.pixelAt(event);
    if (pixel === null || !data.person[pixel]) return clear(photo, body);
    showPixel(data, photo, body, pixel);
  }));
  on(body, "pointermove", (event) => event.buttons || soon(() => {
    const point = body.pointAt(event);
    if (!point) return clear(photo, body);
    const pixels = pixelsNear(data, point.place);
    photo.mark(pixels);
    body.mark(point.place);
    say(data, point, pixels);
  }));
  for (const view of [photo, body]) on(view, "pointerleave", () => soon(() => clear(photo, body)));
}

// Marks a labelled pixel and its point of the body.
function showPixel(data, photo, body, pixel) {
  const face = data.face[pixel], second = data.first[pixel] / 255, third = data.second[pixel] / 255;
  const place = placeOf(data, face, second, third);
  photo.mark([pixel]);
  body.mark(place);
  body.turnTo(place, normalOf(data, face));
  say(data, { face, second, third, place }, [pixel]);
}

function clear(photo, body) {
  photo.mark([]);
  body.mark(null);
}
