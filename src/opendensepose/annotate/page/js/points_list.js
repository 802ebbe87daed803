// Stage 2's texts: the title above the views, the point's state, the strip of all points.
import { byId, element } from "./dom.js";
import { sideOf } from "./keys.js";

const STATES = {
  comment: "comment",
  warning: "warning",
  done: "answered",
  reason: "no answer, with a reason",
  open: "open",
  proposed: "proposed by the model, not accepted yet",
};

export function showPoint(stage) {
  const { point, points, app } = stage;
  byId("auto-next").checked = stage.autoNext;
  byId("photo-hint").textContent = stage.input.hint();
  if (!point) {
    byId("point-title").textContent = "No points: draw the parts first";
    byId("point-note").textContent = "";
    return;
  }
  const ofPart = points.filter((one) => one.part === point.part).length;
  const place = `${app.partName(point.part)} ${stage.numbers()[stage.index]} of ${ofPart}`;
  const side = sideOf(place);
  const badge = side ? [element("span", { className: "side", dataset: { side }, "aria-hidden": "true" }, side)] : [];
  byId("point-title").replaceChildren(...badge, `${place[0].toUpperCase()}${place.slice(1)}`);
  const comments = app.task.comments.filter((one) => one.point_id === point.id);
  const commentText = comments.map(({ author, text }) => `✎ ${author}: ${text}`).join(" ");
  const note = point.warning ? `⚠ ${point.warning}` : describe(point, stage.answers.pending(point.id));
  byId("point-note").textContent = commentText ? `${commentText} — ${note}` : note;
  byId("point-note").classList.toggle("warning", Boolean(point.warning || commentText));
}

function describe(point, pending) {
  if (pending) return "Saving …";
  if (point.reason) return `No answer: ${point.reason}`;
  if (!point.answer && point.proposal) return "The model proposes this place (?): Enter accepts it, a click corrects it.";
  if (!point.answer) return "Click the same place of the body in the view that shows it best.";
  const how = point.accepted ? "Accepted from the model" : "Answered";
  return `${how}; seen in ${point.shown.length} of 6 views.`;
}

/** One small button per point; its state is shown by border, sign and words, not by colour alone. */
export function showStrip(stage) {
  const { points, index, app } = stage;
  const done = points.filter((one) => one.answer || one.reason).length;
  byId("progress-text").textContent = `Point ${index + 1} of ${points.length}; ${done} done`;
  const strip = byId("point-strip");
  while (strip.children.length > points.length) strip.lastElementChild.remove();
  const commented = new Set(app.task?.comments.map((comment) => comment.point_id));
  points.forEach((point, k) => {
    const item = strip.children[k] || strip.appendChild(stripItem(stage, k));
    const button = item.firstElementChild;
    const state = stateOf(point, commented);
    const text = `Point ${k + 1}, ${app.partName(point.part)}: ${STATES[state]}`;
    if (button.title !== text) {
      button.dataset.state = state;
      button.title = text;
      button.setAttribute("aria-label", text);
    }
    item.classList.toggle("part-begins", k > 0 && points[k - 1].part !== point.part);
    const isCurrent = k === index;
    if (isCurrent && button.getAttribute("aria-current") !== "true") reveal(strip, item);
    button.setAttribute("aria-current", isCurrent);
  });
}

/** One sentence per warning: which answers, and why. */
export function warningLines(app) {
  const byText = new Map();
  for (const [k, { warning }] of app.task.points.entries()) {
    if (warning) byText.set(warning, [...(byText.get(warning) || []), k + 1]);
  }
  return [...byText].map(([text, [first, ...others]]) => `Point ${first}${others.length ? ` and ${others.length} more` : ""}: ${text}`);
}

function stateOf(point, commented) {
  if (commented.has(point.id)) return "comment";
  if (point.warning) return "warning";
  if (point.answer) return "done";
  if (point.reason) return "reason";
  return point.proposal ? "proposed" : "open";
}

// Scrolls the strip only, never the page.
function reveal(strip, item) {
  const top = item.offsetTop - strip.offsetTop;
  if (top < strip.scrollTop) strip.scrollTop = top - 4;
  else if (top + item.offsetHeight > strip.scrollTop + strip.clientHeight) {
    strip.scrollTop = top + item.offsetHeight - strip.clientHeight + 4;
  }
}

function stripItem(stage, k) {
  const button = element("button", { type: "button" }, String(k + 1));
  button.addEventListener("click", (event) => {
    if (event.detail > 0) button.blur(); // clicked with the mouse: Enter answers, it does not press the button again
    stage.go(k);
  });
  return element("li", {}, button);
}
