// Ending the work on a person, by skipping or submitting, and reopening it.
import { post } from "./api.js";
import { choose, dialog, element, notice } from "./dom.js";
import { neighbours, nextPerson, nextReview, openPerson } from "./people.js";
import { warningLines } from "./points_list.js";

/** Ends the work on the person by `verb` of the API, and goes on: in the list one came from, in review, or to the next. */
export async function finishPerson(app, verb, body) {
  const { id } = app.task;
  const next = app.list ? (await neighbours(app, app.task)).next : null;
  await app.finish(verb, body);
  if (next) return openPerson(app, next.person_id, next.by);
  return app.reviewing ? nextReview(app, id) : nextPerson(app, id);
}

export async function skipPerson(app) {
  if (!app.task || !app.mayEdit()) return;
  const reason = await choose("Why is this person skipped?", app.session.reasons);
  if (!reason) return;
  await finishPerson(app, "skip", { reason });
}

export async function submitPerson(app) {
  if (!app.task || !app.mayEdit()) return;
  const { points } = app.task;
  const open = points.filter((point) => !point.answer && !point.reason).length;
  const warned = points.filter((point) => point.warning).length;
  if (!points.length || app.partsStale) return notice("Answer the points first: the parts alone are not enough.");
  if (open) {
    if (app.stage !== "points") app.setStage("points");
    await app.points.goOpen();
    return notice(`${open} of ${points.length} points have neither an answer nor a reason; here is the next one.`, "hint");
  }
  if (warned) {
    const text = `${warned} of ${points.length} answers look wrong (⚠). Check them, or submit them as they are.`;
    const lines = element("ul", { className: "warning-lines" }, ...warningLines(app).map((line) => element("li", {}, line)));
    const content = [element("p", {}, text), lines];
    const choice = await dialog("Submit anyway?", content, [["", "Keep working"], ["yes", "Submit"]]);
    if (choice !== "yes") {
      if (app.stage === "points") await app.points.go(points.findIndex((point) => point.warning));
      return undefined;
    }
  }
  const { photo, person_id: person } = app.task;
  await finishPerson(app, "submit");
  return notice(`Submitted: ${photo}, person ${person}, ${points.length} points.`, "hint");
}

/** Takes up again what was submitted or skipped. */
export async function reopenPerson(app) {
  if (!app.task || document.body.dataset.reopen !== "true") return;
  const task = await post(`/api/tasks/${app.task.id}/reopen`);
  app.reviewing = false;
  await app.open(task);
  notice(task.editable ? "You can change this person again." : `${task.annotator} can change this person again.`, "hint");
}
