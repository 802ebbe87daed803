// The open person's place: their address, their line in the header, the others in the photo; given back when left.
import { post, sendOnLeaving } from "./api.js";
import { byId } from "./dom.js";
import { Labels } from "./labels.js";
import { LabelPicture, drawText } from "./overlay.js";

const OTHERS_COLOUR = "#8fa3b8";

/** The address of a row of the list: somebody's work on a person. `list` is the query of the list they are walked by. */
export function addressOf({ person_id: person, by }, ownId, list) {
  const query = new URLSearchParams();
  if (by && by !== ownId) query.set("by", by);
  if (list) query.set("list", list);
  return `/person/${person}${query.size ? `?${query}` : ""}`;
}

/** What the page's address names: {person, by, list}; person is null on the start page. */
export function placeInAddress() {
  const person = /^\/person\/(\d+)$/.exec(location.pathname);
  const query = new URLSearchParams(location.search);
  return { person: person && Number(person[1]), by: Number(query.get("by")) || null, list: query.get("list"), review: query.has("review") };
}

/** Names the person in the header and in the address, and tells the buttons what may be done. */
export function showPerson(app, task) {
  const { session } = app;
  const isOwn = task.annotator_id === session.id;
  const texts = [`Person ${task.person_id}`, task.photo];
  if (!isOwn) texts.push(task.annotator);
  const state = task.status.replace("_", " ") + (task.skip_reason ? ` (${task.skip_reason})` : "");
  byId("read-only").hidden = task.editable;
  byId("read-only").textContent = `Read only · ${task.status === "open" ? "somebody else's work" : state}`;
  byId("task-name").textContent = texts.join(" · ");
  byId("task-name").title = texts.join(" · ");
  const { dataset } = document.body;
  dataset.editable = task.editable;
  const manages = session.role === "manager";
  dataset.reopen = (isOwn || manages) && (["submitted", "skipped"].includes(task.status) || (manages && task.status === "accepted"));
  const address = addressOf({ person_id: task.person_id, by: task.annotator_id }, session.id, app.list);
  const here = location.pathname + location.search;
  if (address !== here) history[placeInAddress().person ? "pushState" : "replaceState"](null, "", address);
  document.title = `Person ${task.person_id} · opendensepose`;
  app.others = task.others.map((other) => {
    const labels = new Labels();
    labels.load(other.parts);
    return { ...other, labels, picture: new LabelPicture(new Array(15).fill(OTHERS_COLOUR)) };
  });
}

/** Why the open person may not be changed now, in one sentence; null if it may. */
export function whyNotEditable({ task, queue }) {
  if (!task) return "Nobody is open.";
  if (queue.state === "conflict") return "Resolve the conflict first: choose which version to keep.";
  if (queue.isCalling || queue.closed) return "One moment: the server is at work on this person.";
  if (task.editable) return null;
  if (task.status === "open") return "This is somebody else's work: you may read it but not change it.";
  return `This person is ${task.status.replace("_", " ")} and cannot be changed.`;
}

/** Draws the boxes and masks of the photo's other people. */
export function drawOthers(app, context, viewport) {
  for (const { box_xyxy: box, labels, picture, person_id: person } of app.others || []) {
    const [[x0, y0], [x1, y1]] = [viewport.toScreen(box[0], box[1]), viewport.toScreen(box[2], box[3])];
    context.globalAlpha = 0.35;
    context.imageSmoothingEnabled = false;
    app.photo.drawOver(picture.of(labels, 0), box);
    context.globalAlpha = 1;
    context.strokeStyle = OTHERS_COLOUR;
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    drawText(context, `person ${person}`, (x0 + x1) / 2, y0 + 9, 11);
  }
}

/** Whether the person is held for this user: a lease, or a reviewer's look. */
const isHeld = (app) => app.task && (app.task.editable || (app.task.status === "submitted" && app.session.role !== "annotator"));

/** Gives the person back, so that others need not wait until the lease ends. */
export async function leavePerson(app) {
  app.left = app.task.id;
  if (isHeld(app)) await post(`/api/tasks/${app.task.id}/release`).catch(() => {}); // the lease ends by itself too
}

/** The same when the tab is closed; changes that are not saved yet keep the lease. */
export function giveBackOnLeaving(app) {
  window.addEventListener("pagehide", () => {
    if (isHeld(app) && !app.queue.changes.length) sendOnLeaving(`/api/tasks/${app.task.id}/release`);
  });
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}
