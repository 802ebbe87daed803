// The table of all actions and their keys, for the list behind `?`, the buttons' tooltips and the keyboard.
// The annotator's own keys are stored in this browser.

const action = (id, stage, keys, label) => ({ id, stage, keys: keys.split(" "), label });

export const ACTIONS = [
  action("help", "any", "?", "Show this list of keys, to change them"),
  action("instructions", "any", "F1", "Show the instructions: what to draw and click"),
  action("undo", "any", "Ctrl+z", "Undo, without limit"),
  action("redo", "any", "Ctrl+Shift+z Ctrl+y", "Redo"),
  action("stage-parts", "any", ",", "Go to stage 1, parts"),
  action("stage-points", "any", ".", "Go to stage 2, points"),
  action("zoom-in", "any", "+ =", "Zoom in (also the wheel)"),
  action("zoom-out", "any", "-", "Zoom out"),
  action("zoom-fit", "any", "z", "Show the whole person, or return to the point"),
  action("pan-left", "any", "j", "Move the photo left (also: drag with Space held or the right button)"),
  action("pan-right", "any", "l", "Move the photo right"),
  action("pan-up", "any", "i", "Move the photo up"),
  action("pan-down", "any", "k", "Move the photo down"),
  action("opacity-down", "any", "o", "Make the parts fainter"),
  action("opacity-up", "any", "Shift+o", "Make the parts stronger"),
  action("iuv", "any", "y", "Show or hide the annotation so far over the photo"),
  action("iuv-fill", "any", "Shift+y", "Spread the annotation so far over the parts, as a preview"),
  action("tasks", "any", "Shift+l", "List of people"),
  action("next-task", "any", "Shift+n", "Next person"),
  action("previous-task", "any", "Shift+p", "Previous person"),
  action("reopen", "any", "Shift+e", "Reopen this person: what was submitted or skipped"),
  action("user", "any", "Shift+u", "Who is signed in; sign out"),
  action("draw-box", "any", "Shift+d", "Draw a box around a person in the open photo (managers)"),
  action("review-next", "any", "Shift+r", "Next person to review (reviewers)"),
  action("skip", "any", "Shift+s", "Skip this person, with a reason"),
  action("submit", "any", "Ctrl+Enter", "Submit this person"),
  action("tool-brush", "parts", "b", "Brush"),
  action("tool-erase", "parts", "x", "Erase"),
  action("tool-polygon", "parts", "p", "Outline: click corners, close it"),
  action("tool-snap", "parts", "s", "Snap: drag along a border, the line snaps to the photo's edges"),
  action("tool-fill", "parts", "f", "Fill an area enclosed by a line, or change its part"),
  action("brush-smaller", "parts", "[", "Smaller brush"),
  action("brush-larger", "parts", "]", "Larger brush"),
  action("close-gaps", "parts", "g", "Close gaps: holes, and gaps narrower than the brush, in this part"),
  action("keep-others", "parts", "t", "Keep other parts, or paint over them"),
  action("clear-part", "parts", "Delete", "Clear this part"),
  action("clear-all", "parts", "Shift+Delete", "Clear all parts"),
  action("guess", "parts", "m", "Start from the default model's guess"),
  action("box-change", "parts", "Shift+w", "Change the person's box"),
  action("box-delete", "parts", "Shift+q", "Delete this box: nobody is there (managers)"),
  action("cursor-left", "parts", "ArrowLeft Shift+ArrowLeft", "Move the cursor on the photo (Shift: in larger steps)"),
  action("cursor-right", "parts", "ArrowRight Shift+ArrowRight", "… right"),
  action("cursor-up", "parts", "ArrowUp Shift+ArrowUp", "… up"),
  action("cursor-down", "parts", "ArrowDown Shift+ArrowDown", "… down"),
  action("cursor-act", "parts", "Enter", "At the cursor: lower or lift the brush, set a corner, fill"),
  action("polygon-close", "parts", "c", "Close the outline"),
  action("cancel", "any", "Escape", "Cancel the outline, the brush, the box, moving the point"),
  ...[1, 2, 3, 4, 5, 6].map((n) => action(`view-${n}`, "points", String(n), `Choose view ${n}`)),
  action("cross-left", "points", "ArrowLeft Shift+ArrowLeft", "Move the crosshair in the view (Shift: in larger steps)"),
  action("cross-right", "points", "ArrowRight Shift+ArrowRight", "… right"),
  action("cross-up", "points", "ArrowUp Shift+ArrowUp", "… up"),
  action("cross-down", "points", "ArrowDown Shift+ArrowDown", "… down"),
  action("answer", "points", "Enter", "Answer at the crosshair, or accept the proposal; again: go to the next point"),
  action("accept-part", "points", "Shift+Enter", "Accept the proposals of this part that are left"),
  action("point-next", "points", "n", "Next point"),
  action("point-previous", "points", "p", "Previous point"),
  action("point-open", "points", "u", "Next point without an answer"),
  action("point-unclear", "points", "v", "Not visible, or can't tell (with a reason)"),
  action("point-clear", "points", "Delete Backspace", "Clear the answer"),
  action("view-large", "points", "e", "Enlarge or shrink the chosen view"),
  action("place-move", "points", "m", "Move the point in the photo with the arrows; Enter sets it"),
  action("auto-next", "points", "a", "Go to the next point after an answer, or not"),
  action("box-left", "box", "ArrowLeft Shift+ArrowLeft", "Move the cursor (Shift: in larger steps)"),
  action("box-right", "box", "ArrowRight Shift+ArrowRight", "… right"),
  action("box-up", "box", "ArrowUp Shift+ArrowUp", "… up"),
  action("box-down", "box", "ArrowDown Shift+ArrowDown", "… down"),
  action("box-act", "box", "Enter", "Take or let go of a handle; set a corner of a new box"),
  action("box-handle", "box", "h", "Go to the next handle of the box"),
  action("box-done", "box", "d", "Done with the box"),
  action("accept", "review", "Shift+a", "Accept this person"),
  action("send-back", "review", "Shift+b", "Send it back, with the comments"),
  action("comment", "review", "Shift+c", "Comment on this point"),
  action("fix", "review", "Shift+f", "Take over and fix"),
];

/** A part's name for display: "right upper leg" for "upper leg right". */
export const displayName = (name) => name.replace(/^(.*) (left|right)$/, "$2 $1");

/** "L hand" for "left hand". */
export const shortName = (name) => name.replace(/^left /, "L ").replace(/^right /, "R ");

/** "L" or "R" for the parts of a side, the person's own; "" for others. */
export const sideOf = (name) => ({ left: "L", right: "R" })[name.split(" ")[0]] || "";

let own = JSON.parse(localStorage.getItem("keys") || "{}");

const PART_KEYS = "1234567890qwer"; // in the order of the parts

/** The actions of the parts, "part-1" to "part-14". */
export function addPartActions(parts) {
  const at = ACTIONS.findIndex(({ stage }) => stage === "parts");
  ACTIONS.splice(at, 0, ...parts.map(({ id, name }) => action(`part-${id}`, "parts", PART_KEYS[id - 1], `Draw: ${displayName(name)}`)));
}

export const keysOf = (id) => own[id] || ACTIONS.find((one) => one.id === id)?.keys || [];

export function setKey(id, key) {
  if (key) own[id] = [key];
  else delete own[id];
  localStorage.setItem("keys", JSON.stringify(own));
}

export function resetKeys() {
  own = {};
  localStorage.removeItem("keys");
}

/** "Ctrl+Shift+z" for an event. Shift is left out if it gives another character, as in "?". */
export function keyName(event) {
  const letter = event.key.length === 1 && event.key.toLowerCase() !== event.key.toUpperCase();
  const key = letter ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (letter || event.key.length > 1);
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/** The action of a key in the given stages, or undefined. */
export function actionFor(key, stages) {
  return ACTIONS.find(({ id, stage }) => stages.includes(stage) && keysOf(id).includes(key))?.id;
}

const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Delete: "Del" };

/** A key for display: "Ctrl+Shift+Z". */
export const keyLabel = (key) =>
  key.replace(/(Arrow\w+|Escape|Delete)$/, (name) => SIGNS[name]).replace(/(^|\+)([a-z])$/, (_, a, b) => a + b.toUpperCase());
