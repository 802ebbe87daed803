"use strict";
// Starts the page: the photo and the body, linked; buttons that change what they wear.

function imageOf(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image);
}

function colourOfChart(data) {
  return (pixel) => [...data.chartColours[data.faceChart[data.face[pixel]]], 190];
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
    unpackAll(PAGE_DATA), imageOf(PAGE_DATA.photo), imageOf(PAGE_DATA.texture),
  ]);
  addPixelPlaces(data);
  const photo = new PhotoView(document.getElementById("photo"), data, image);
  const body = new BodyView(document.getElementById("body"), data, texture);
  pressOne("photo", (kind) => photo.draw(kind === "charts" ? colourOfChart(data) : null));
  pressOne("body", (kind) => body.show(kind));
  link(data, photo, body);
  document.body.dataset.ready = "yes";
}

start().catch((error) => {
  document.getElementById("said").textContent = `This browser cannot show the page: ${error.message}`;
  throw error;
});
