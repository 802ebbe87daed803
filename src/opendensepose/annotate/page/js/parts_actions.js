// Stage 1's actions on whole parts: close gaps, clear one or all, start from the model's guess.
import { get } from "./api.js";
import { notice } from "./dom.js";
import { GRID, Labels } from "./labels.js";
import { gapCells } from "./shapes.js";

/** Queues the masks of changed parts. */
export function saveParts(app, parts) {
  app.partsStale = true;
  app.queue.add({
    key: "parts",
    method: "PUT",
    path: `/api/tasks/${app.task.id}/parts`,
    body: { parts: Object.fromEntries(parts.map((part) => [part, app.labels.counts(part)])) },
    refused: (error) => notice(error.message),
  });
}

/** Fills holes of the chosen part and gaps between its pieces that are narrower than the brush. */
export function closeGaps(stage) {
  if (!stage.app.mayEdit()) return;
  const cells = gapCells(stage.app.labels.cells, stage.part, stage.radius);
  if (!stage.commit(new Map([...cells].map((cell) => [cell, stage.part])), "closed")) {
    notice("This part has no hole, and no gap narrower than the brush.", "hint");
  }
}

export function clearPart(stage) {
  const wanted = new Map();
  stage.app.labels.cells.forEach((label, cell) => label === stage.part && wanted.set(cell, 0));
  stage.commit(wanted, "cleared");
}

export function clearAll(stage) {
  const painted = [...stage.app.labels.cells.entries()].filter(([, label]) => label);
  if (stage.commit(new Map(painted.map(([cell]) => [cell, 0])), "and all other parts cleared")) {
    notice("All parts are cleared. Undo brings them back.", "hint");
  }
}

/** Replaces all parts by the default model's guess, as one change to undo; cells painted or erased meanwhile stay. */
export async function loadGuess(stage) {
  if (!stage.app.mayEdit()) return;
  const { task, labels } = stage.app;
  const before = labels.cells.slice();
  notice("The model is predicting the parts …", "hint", true);
  const { parts } = await get(`/api/tasks/${task.id}/guess`);
  if (stage.app.task?.id !== task.id) return;
  if (stage.app.stage !== "parts") {
    notice("The model's guess came after you went on to the points and was not used; ask again in stage 1.", "hint", true);
    return;
  }
  stage.strokeEnd(); // what is drawn at this moment counts as painted meanwhile
  const guess = new Labels();
  guess.load(parts);
  if (guess.isEmpty) return notice("The model finds nobody in this box.", "hint");
  const untouched = [...guess.cells.entries()].filter(([cell]) => labels.cells[cell] === before[cell]);
  stage.commit(new Map(untouched), "and all others taken from the model's guess");
  const kept = untouched.length < GRID * GRID ? " What you painted meanwhile is kept." : "";
  notice(`Taken from the model's guess: check each part.${kept}`, "hint");
}
