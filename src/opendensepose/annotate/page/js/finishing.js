// Ending the work on a person, by skipping or submitting, reopening it, and deleting a person who is none.
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
  if (!app.task || !app.mayEdit()) return undefined;
  await app.save(); // the last answers count, and what is wrong with them
  const { points } = app.task;
  const open = points.filter((point) => !point.answer && !point.reason).length;
  const warned = points.filter((point) => point.warning).length;
  if (!points.length) return notice("Answer the points first: the parts alone are not enough.");
  if (app.partsStale) return notice("The parts have changed: go to the points again, then submit.");
  if (open) {
    if (app.stage === "points") await app.points.goOpen();
    else app.setStage("points"); // begins at the first open one
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
  const next = app.task ? ` Now: person ${app.task.person_id}.` : "";
  return notice(`Submitted: person ${person} of ${photo}, ${points.length} points.${next}`, "hint");
}

/** Deletes the open person, for good: where the model or a file saw somebody who is not there. */
export async function deletePerson(app) {
  if (!app.task || app.session.role !== "manager" || !app.mayEdit()) return;
  const { person_id: person, photo } = app.task;
  const text = `Nobody is there? The box and what you drew in it are deleted for good: person ${person} of ${photo}.`;
  if ((await dialog("Delete this box?", element("p", {}, text), [["", "Keep it"], ["yes", "Delete"]])) !== "yes") return;
  await app.save();
  const { refused } = await post("/api/people/delete", { person_ids: [person] });
  if (refused.length) return notice(`Person ${person} was not deleted: ${refused[0].why}.`);
  app.task.editable = false; // there is nothing left to give back
  await app.close();
  await nextPerson(app, null);
  notice(`Deleted: person ${person} of ${photo}.`, "hint");
}

/** Takes up again what was submitted or skipped. */
export async function reopenPerson(app) {
  if (!app.task || document.body.dataset.reopen !== "true") return;
  const task = await post(`/api/tasks/${app.task.id}/reopen`);
  app.reviewing = false;
  await app.open(task);
  notice(task.editable ? "You can change this person again." : `${task.annotator} can change this person again.`, "hint");
}
