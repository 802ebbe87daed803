// Going from stage to stage of the open person.
import { announce, notice } from "./dom.js";

export function showStage(stage) {
  document.body.dataset.stage = stage;
  for (const step of document.querySelectorAll(".step")) {
    if (step.dataset.action === `stage-${stage}`) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
}

export async function goToParts(app) {
  if (!app.task) return;
  if (app.stage === "box") await app.queue.flush(); // the parts' grid lies over the saved box
  if (app.task) app.setStage("parts");
}

/** Goes to the points, which are sampled again if the parts have changed. */
export async function goToPoints(app) {
  if (!app.task || app.stage === "points") return undefined;
  app.parts.cancel();
  if (app.labels.isEmpty) return notice("Draw at least one part first: points are sampled in the parts.");
  if (app.partsStale && app.task.editable && !(await app.move(() => samplePoints(app)))) return undefined;
  if (!app.task.points.length) return notice("This person has no points yet.", "hint");
  return app.setStage("points");
}

async function samplePoints(app) {
  if (!app.mayEdit()) return false;
  announce("Choosing the points");
  const task = await app.queue.direct("POST", `/api/tasks/${app.task.id}/points`);
  app.histories.points.clear();
  app.take(task);
  return true;
}
