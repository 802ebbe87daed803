"use strict";
// Links the photo and the body: what one is pointed at, the other marks, and the line below says.

function imageOf(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image);
}

function nearestVertex(data, face, second, third) {
  const weights = [1 - second - third, second, third];
  return data.surfaceVertex[data.faces[3 * face + weights.indexOf(Math.max(...weights))]];
}

// The line below: chart, U, V, the place at rest and the nearest vertex; then the pixels.
function say(data, point, pixels) {
  const { face, second, third, place } = point, chart = data.faceChart[face];
  const weights = [1 - second - third, second, third];
  const uv = [0, 1].map((axis) => weights.reduce((sum, w, k) => sum + w * data.faceUv[6 * face + 2 * k + axis], 0));
  const [x, up, front] = place.map((metres) => (100 * metres).toFixed(1));
  const where = pixels.map((pixel) => {
    const column = Math.floor(((pixel % data.width) + 0.5) * data.step);
    const row = Math.floor((Math.floor(pixel / data.width) + 0.5) * data.step);
    return `person ${data.person[pixel]}, pixel ${column}, ${row}`;
  });
  const line = document.getElementById("said");
  line.innerHTML = `<b>I ${chart}</b> ${data.chartNames[chart]} &nbsp; <b>U ${uv[0].toFixed(3)} V ${uv[1].toFixed(3)}</b>
    &nbsp; left ${x} cm, up ${up} cm, front ${front} cm &nbsp; vertex ${nearestVertex(data, face, second, third)}
    &nbsp; ${where.join(" &nbsp; ") || "not seen in the photo"}`;
  Object.assign(line.dataset, { chart, u: uv[0], v: uv[1], vertex: nearestVertex(data, face, second, third) });
}

function normalOf(data, face) {
  return [0, 1, 2].map((axis) => data.normals[3 * data.faces[3 * face] + axis]);
}

function link(data, photo, body) {
  let pending = null;
  const soon = (action) => {
    if (!pending) requestAnimationFrame(() => { pending(); pending = null; });
    pending = action;
  };
  photo.section.addEventListener("pointermove", (event) => soon(() => {
    const pixel = photo.pixelAt(event);
    if (pixel === null || !data.person[pixel]) return clear(photo, body);
    const face = data.face[pixel], second = data.first[pixel] / 255, third = data.second[pixel] / 255;
    const place = placeOf(data, face, second, third);
    photo.mark([pixel]);
    body.mark(place);
    body.turnTo(place, normalOf(data, face));
    say(data, { face, second, third, place }, [pixel]);
  }));
  body.section.addEventListener("pointermove", (event) => event.buttons || soon(() => {
    const point = body.pointAt(event);
    if (!point) return clear(photo, body);
    const pixels = pixelsNear(data, point.place);
    photo.mark(pixels);
    body.mark(point.place);
    say(data, point, pixels);
  }));
  for (const view of [photo, body]) view.section.addEventListener("pointerleave", () => soon(() => clear(photo, body)));
}

function clear(photo, body) {
  photo.mark([]);
  body.mark(null);
}

function pressOne(name, action) {
  const buttons = [...document.querySelectorAll(`[data-${name}]`)];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      buttons.forEach((one) => one.setAttribute("aria-pressed", one === button));
      action(button.dataset[name]);
    });
  }
}

async function start() {
  const [data, image, texture] = await Promise.all([
    loadData(), imageOf(PAGE_DATA.photo), imageOf(PAGE_DATA.texture),
  ]);
  const photo = new PhotoView(document.getElementById("photo"), data, image);
  const body = new BodyView(document.getElementById("body"), data, texture);
  pressOne("photo", (kind) => photo.draw(kind === "charts"));
  pressOne("body", (kind) => body.show(kind));
  link(data, photo, body);
  document.body.dataset.ready = "yes";
}

start().catch((error) => {
  document.getElementById("said").textContent = `This browser cannot show the page: ${error.message}`;
  throw error;
});
