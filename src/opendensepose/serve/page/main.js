// The page: a photo goes to the server, its labels come back, photo and body are linked. What is shown is all there is:
// the server keeps nothing, so a download sends the photo again.
import { fetchAnswer, fetchJson, onKeyGiven } from "./api.js";
import { watchInputs } from "./input.js";
import { colourOf } from "./layers.js";
import { watchKeys } from "./keys.js";
import { bodyColours } from "./colours.js";

const element = (id) => document.getElementById(id);
const state = { body: null, bodyView: null, photoView: null, data: null, photo: null, linked: new AbortController(), newest: null };

function tell(sentence, isWrong = false) {
  const status = element("status");
  status.textContent = sentence;
  status.classList.toggle("wrong", isWrong);
}

function chosen(name) {
  return document.querySelector(`input[name=${name}]:checked`).value;
}

async function imageOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

async function showBody() {
  state.body = await unpackAll(await fetchJson("/static/body.json"));
  state.bodyView = new BodyView(element("body"), state.body, bodyColours(state.body, null, null));
  state.bodyView.show(chosen("skin"));
}

async function label(photo) {
  const stage = document.body.dataset;
  const isNewest = () => state.newest === photo; // the answer of an earlier photo may come after a later one's
  state.newest = photo;
  stage.stage = "working";
  tell("Labelling the photo ...");
  try {
    const start = performance.now();
    const answer = await fetchAnswer(photo, "view");
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const data = { ...state.body, ...(await unpackAll(await answer.json())) };
    const image = await imageOf(data.photo);
    if (!isNewest()) return;
    show(data, image);
    state.photo = photo;
    element("downloads").querySelector("button").disabled = false;
    const count = state.data.people.length;
    const scores = state.data.people.map((one) => one.score.toFixed(2)).join(", ");
    const who = count === 0 ? "Nobody was found" : count === 1 ? `1 person, score ${scores}` : `${count} people, scores ${scores}`;
    tell(`${who}; ${seconds} s.`);
  } catch (error) {
    if (!isNewest()) return;
    tell(error.message, true);
  }
  stage.stage = state.data ? "ready" : "empty";
}

function show(data, image) {
  addPixelPlaces(data);
  state.linked.abort();
  state.linked = new AbortController();
  state.data = data;
  if (state.photoView) state.photoView.stop();
  state.photoView = new PhotoView(element("photo"), data, image);
  state.bodyView.wear(bodyColours(state.body, data, image));
  drawPhoto();
  clear(state.photoView, state.bodyView);
  link(data, state.photoView, state.bodyView, state.linked.signal);
  watchKeys(data, state.photoView, state.bodyView, state.linked.signal);
}

function drawPhoto() {
  if (state.photoView) state.photoView.draw(colourOf(chosen("layer"), state.data));
}

async function download(event) {
  event.preventDefault();
  const format = element("format").value;
  tell(`Making the ${format} file ...`);
  try {
    const answer = await fetchAnswer(state.photo, format);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(await answer.blob());
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
    tell(`${name} is downloaded.`);
  } catch (error) {
    tell(error.message, true);
  }
}

async function listFormats() {
  const { formats } = await fetchJson("/v1/models");
  const names = Object.keys(formats).filter((name) => name !== "view");
  element("format").replaceChildren(...names.map((name) => new Option(name, name)));
}

async function start() {
  for (const one of document.querySelectorAll("input[name=layer]")) one.addEventListener("change", drawPhoto);
  for (const one of document.querySelectorAll("input[name=skin]")) {
    one.addEventListener("change", () => state.bodyView?.show(chosen("skin")));
  }
  element("downloads").addEventListener("submit", download);
  onKeyGiven(() => listFormats().then(() => tell("The key is accepted."), (error) => tell(error.message, true)));
  watchInputs(label, tell);
  await showBody();
  await listFormats();
}

start().catch((error) => tell(error.message, true)).finally(() => { document.body.dataset.ready = "yes"; });
