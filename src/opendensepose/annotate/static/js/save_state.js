// What the header says about saving: a sign and words, never colour alone.
import { byId, notice } from "./dom.js";

const TEXT = {
  saved: () => "Saved",
  saving: () => "Saving …",
  offline: (count) => `Offline: ${count} ${count === 1 ? "change" : "changes"} kept, retrying`,
  conflict: () => "Not saved: changed elsewhere",
  "signed-out": () => "Signed out: changes kept",
};

export function showSaveState(state, count) {
  const box = byId("save-state");
  const words = box.lastElementChild;
  const text = TEXT[state](count);
  box.dataset.state = state;
  if (words.textContent !== text) words.textContent = text;
  if (state === "signed-out") notice("You are signed out. Open your personal link in another tab, then go on here.");
}
