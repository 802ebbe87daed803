// Runs the action of a key or button. A key runs no action while a field, a dialog or a focused button needs it.
import { ACTIONS, actionFor, keyLabel, keyName, keysOf } from "./keys.js";

const TEXT_FIELDS = "input:not([type=checkbox]):not([type=range]), textarea, select";

export function listenForActions(app, handlers) {
  const run = (id, event) => app.attempt(async () => handlers[id]?.(event));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (!button || button.closest("dialog") || event.ctrlKey || event.metaKey) return; // a link into a new tab stays one
    if (button.matches("a")) event.preventDefault();
    run(button.dataset.action, event);
    if (event.detail > 0) button.blur(); // clicked with the mouse: Enter must not press it again
  });

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.target.closest(TEXT_FIELDS)) return;
    if (event.key === " " && event.target === app.photo.canvas) event.preventDefault();
    if (event.key === " ") app.photo.spaceHeld = true;
    if (isForTheElement(event)) return;
    const stages = [app.stage, "any", ...(app.reviewing ? ["review"] : [])];
    const id = actionFor(keyName(event), stages);
    if (!id) return;
    event.preventDefault();
    run(id, event);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") app.photo.spaceHeld = false;
  });
  window.addEventListener("blur", () => (app.photo.spaceHeld = false)); // another window gets the key's end

  app.showHints = () => showHints();
  showHints();
}

/** Whether the focused element itself needs the key; Enter does nothing to a box that was ticked with the mouse. */
function isForTheElement({ target, key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (key === "Enter") return target.closest("button, a") && !(ctrlKey || metaKey || altKey || shiftKey);
  if (key === " ") return target.closest("button, a, input");
  return target.matches("input[type=range]") && key.startsWith("Arrow");
}

/** Shows each action's key in its button's tooltip and in the list of parts. */
function showHints() {
  for (const button of document.querySelectorAll("[data-action]")) {
    const { label } = ACTIONS.find(({ id }) => id === button.dataset.action);
    const keys = keysOf(button.dataset.action).map(keyLabel);
    button.title = `${label} (${keys.join(" or ")})`;
    button.setAttribute("aria-keyshortcuts", keysOf(button.dataset.action).join(" ").replaceAll("Ctrl", "Control"));
  }
  for (const key of document.querySelectorAll("[data-key-of]")) {
    key.textContent = keyLabel(keysOf(key.dataset.keyOf)[0] || "");
  }
}
