// Conflicts: the server has a newer version than this page. The annotator decides whether unsaved changes are kept or
// dropped; nothing is overwritten before.
import { get } from "./api.js";
import { counted, dialog, element, notice } from "./dom.js";
import { forgetUnsaved, unsavedChanges } from "./unsaved.js";

/** Asks until no conflict is left: what is put on top of the newest version may meet another one. */
export async function resolveConflicts(app) {
  while (app.queue.state === "conflict") await resolveConflict(app);
}

/** Explains the conflict, asks which version to keep, and shows that. */
async function resolveConflict(app) {
  const { queue } = app;
  const newest = await get(`/api/tasks/${app.task.id}`).catch(() => null);
  const count = queue.changes.length;
  // With the version that this page has, it is the lease that is lost: somebody else was given the person.
  const isLost = newest && (!newest.editable || newest.version === queue.version);
  const sentences = [queue.problem?.body?.error || "This person was changed elsewhere; nothing was overwritten."];
  if (!newest) sentences.push("The newest version could not be fetched: try again.");
  if (count) sentences.push(`Your unsaved changes: ${describe(queue.changes, app)}.`);
  if (count && isLost) sentences.push("You may no longer change this person, so they cannot be saved.");
  const buttons = [["theirs", count ? "Drop mine, take the newest" : "Take the newest"]];
  if (newest && !isLost && count) buttons.push(["mine", "Put mine on top of the newest"]);
  const text = element("div", { className: "dialog-text" }, ...sentences.map((sentence) => element("p", {}, sentence)));
  const choice = await dialog("Changed elsewhere", text, newest ? buttons : [["again", "Try again"]]);
  if (choice === "" || !newest) return; // closed with Escape: asked again
  queue.resume(newest.version, choice === "mine");
  const again = await queue.flush().catch((error) => error);
  if (again?.status !== 409) await app.attempt(() => app.reload(isLost));
}

/** Sends the changes that an earlier visit could not save; asks first if the server has a newer version. */
export async function sendUnsaved(app) {
  const unsaved = unsavedChanges(app.task.id);
  if (!unsaved) return;
  const isSame = unsaved.version === app.task.version;
  if (!isSame && app.task.editable) {
    const text = `An earlier visit left changes unsaved (${describe(unsaved.kept, app)}), made on version ` +
      `${unsaved.version}; the server now has version ${app.task.version}.`;
    const buttons = [["drop", "Drop them"], ["send", "Put them on top"]];
    let choice = "";
    while (!choice) choice = await dialog("Unsaved changes of an earlier visit", element("p", {}, text), buttons); // Escape drops nothing
    if (choice !== "send") return forgetUnsaved(app.task.id);
  }
  if (!app.task.editable) {
    notice("Changes of an earlier visit could not be saved: you may no longer change this person.");
    return forgetUnsaved(app.task.id);
  }
  let refused = 0;
  for (const { request, ...change } of unsaved.kept) {
    // On another version, the server would take the same id for a mistake.
    app.queue.add({ ...change, request: isSame ? request : undefined, refused: () => refused++ });
  }
  await app.save();
  await app.reload();
  notice(refused ? `Refused: ${counted(refused, "change")} of an earlier visit.` : "Changes of an earlier visit were saved.", "hint");
}

function describe(changes, app) {
  const parts = new Set(changes.flatMap(({ body }) => Object.keys(body.parts || {})));
  const points = new Set(changes.filter(({ path }) => path.includes("/points/")).map(({ path }) => path.split("/")[5]));
  const texts = changes.some(({ path }) => path.endsWith("/box")) ? ["the box"] : [];
  if (parts.size) texts.push(`parts: ${[...parts].map((part) => app.partName(Number(part))).join(", ")}`);
  if (points.size) texts.push(counted(points.size, "point"));
  return texts.join("; ") || "none";
}
