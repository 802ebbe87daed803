// What happens when the server holds a newer version than this page: the annotator is asked, nothing is overwritten
// unasked, nothing of one's own is dropped unasked.
import { get } from "./api.js";
import { dialog, element, notice } from "./dom.js";
import { unsavedChanges } from "./save.js";

/** Tells the conflict and asks which version to go on with. */
export async function settleConflict(app, error) {
  const { queue } = app;
  const count = queue.changes.length;
  const newest = await get(`/api/tasks/${app.task.id}`).catch(() => null);
  const lost = newest && !newest.editable;
  const version = newest?.version ?? error?.body?.version;
  const text = element("div", { className: "dialog-text" });
  text.append(
    element("p", {}, error?.body?.error || "This person was changed elsewhere; nothing was overwritten."),
    element("p", {}, `The server holds version ${version}, this page works on version ${queue.version}.`),
    element("p", {}, `Your changes not saved yet: ${describe(queue.changes, app)}.`),
  );
  if (lost) text.append(element("p", {}, "The person is no longer yours to change, so they cannot be saved."));
  const buttons = [["theirs", count ? "Drop mine, take the newest" : "Take the newest"]];
  if (!lost && count) buttons.push(["mine", "Put mine on top of the newest"]);
  const choice = await dialog("Changed elsewhere", text, buttons);
  if (choice === "") return settleConflict(app, error); // closed with Escape: there is no third way
  if (!newest) {
    notice("The newest version could not be fetched; trying again.");
    return settleConflict(app, error);
  }
  queue.resume(newest.version, choice === "mine");
  await queue.flush().catch(() => {});
  await app.attempt(() => app.reload());
  return undefined;
}

/** Sends what an earlier visit could not save; asks first if the server's version has moved on since. */
export async function sendUnsaved(app) {
  const unsaved = unsavedChanges(app.task.id);
  if (!unsaved) return;
  if (unsaved.version !== app.task.version && app.task.editable) {
    const text = `An earlier visit left changes unsaved (${describe(unsaved.kept, app)}), made on version ` +
      `${unsaved.version}; the server now holds version ${app.task.version}.`;
    const choice = await dialog("Unsaved changes of an earlier visit", element("p", {}, text), [
      ["drop", "Drop them"],
      ["send", "Put them on top"],
    ]);
    if (choice !== "send") return forget(app);
  }
  if (!app.task.editable) {
    notice("Changes of an earlier visit could not be saved: this person is no longer yours to change.");
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
