// Conflicts: the server has a newer version than this page. The annotator decides whether unsaved changes are kept or
// dropped; nothing is overwritten before.
import { get } from "./api.js";
import { dialog, element, notice } from "./dom.js";
import { unsavedChanges } from "./save.js";

/** Explains the conflict and asks which version to keep. */
export async function resolveConflict(app, error) {
  const { queue } = app;
  const count = queue.changes.length;
  const newest = await get(`/api/tasks/${app.task.id}`).catch(() => null);
  const lost = newest && !newest.editable;
  const version = newest?.version ?? error?.body?.version;
  const text = element("div", { className: "dialog-text" });
  text.append(
    element("p", {}, error?.body?.error || "This person was changed elsewhere; nothing was overwritten."),
    element("p", {}, `The server has version ${version}, this page has version ${queue.version}.`),
    element("p", {}, `Your unsaved changes: ${describe(queue.changes, app)}.`),
  );
  if (lost) text.append(element("p", {}, "You may no longer change this person, so they cannot be saved."));
  const buttons = [["theirs", count ? "Drop mine, take the newest" : "Take the newest"]];
  if (!lost && count) buttons.push(["mine", "Put mine on top of the newest"]);
  const choice = await dialog("Changed elsewhere", text, buttons);
  if (choice === "") return resolveConflict(app, error); // closed with Escape: ask again
  if (!newest) {
    notice("The newest version could not be fetched; trying again.");
    return resolveConflict(app, error);
  }
  queue.resume(newest.version, choice === "mine");
  await queue.flush().catch(() => {});
  await app.attempt(() => app.reload());
  return undefined;
}

/** Sends the changes that an earlier visit could not save; asks first if the server has a newer version. */
export async function sendUnsaved(app) {
  const unsaved = unsavedChanges(app.task.id);
  if (!unsaved) return;
  if (unsaved.version !== app.task.version && app.task.editable) {
    const text = `An earlier visit left changes unsaved (${describe(unsaved.kept, app)}), made on version ` +
      `${unsaved.version}; the server now has version ${app.task.version}.`;
    const choice = await dialog("Unsaved changes of an earlier visit", element("p", {}, text), [
      ["drop", "Drop them"],
      ["send", "Put them on top"],
    ]);
    if (choice !== "send") return forget(app);
  }
  if (!app.task.editable) {
    notice("Changes of an earlier visit could not be saved: you may no longer change this person.");
    return forget(app);
  }
  let refused = 0;
  for (const change of unsaved.kept) app.queue.add({ ...change, refused: () => refused++ });
  await app.queue.flush();
  await app.reload();
  notice(refused ? `${refused} changes of an earlier visit were refused.` : "Changes of an earlier visit were saved.", "hint");
}

function forget(app) {
  localStorage.removeItem(`unsaved.${app.task.id}`);
}

function describe(changes, app) {
  const parts = new Set(changes.flatMap(({ body }) => Object.keys(body.parts || {})));
  const points = new Set(changes.filter(({ path }) => path.includes("/points/")).map(({ path }) => path.split("/")[5]));
  const texts = [];
  if (parts.size) texts.push(`parts: ${[...parts].map((part) => app.partName(Number(part))).join(", ")}`);
  if (points.size) texts.push(`${points.size} ${points.size === 1 ? "point" : "points"}`);
  return texts.join("; ") || "none";
}
