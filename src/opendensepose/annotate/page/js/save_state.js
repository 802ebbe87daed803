// The header's state: whether everything is saved (a sign and words, never colour alone), what can be undone.
import { byId, notice } from "./dom.js";

const TEXT = {
  saved: () => "Saved",
  saving: () => "Saving …",
  offline: (count, error) => `${error?.status >= 500 ? "Server error" : "Offline"}: ${count} kept, retrying`,
  conflict: () => "Not saved: changed elsewhere",
  "signed-out": () => "Signed out: changes kept",
};

export function showSaveState(state, count, error) {
  const box = byId("save-state");
  const words = box.lastElementChild;
  const text = TEXT[state](count, error);
  box.dataset.state = state;
  if (words.textContent !== text) words.textContent = text;
  if (state === "signed-out") notice("You are signed out. Your changes are kept: open a new personal link in another tab, then come back here.");
}

/** Enables undo and redo if there is something to undo or redo. */
export function showUndo(history) {
  document.querySelector("[data-action=undo]").disabled = !history?.done.length;
  document.querySelector("[data-action=redo]").disabled = !history?.undone.length;
}
