// The page's elements: by id, created, announcements for screen readers, notices, dialogs.

export const byId = (id) => document.getElementById(id);

/** element("button", {className: "x", dataset: {a: 1}, ariaLabel: "..."}, "text" or other elements ...) */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children); // strings become text, never markup
  return made;
}

/** "1 point", "2 points"; `many` where the plural is irregular. */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Announces a text to screen readers without moving the focus. */
export function announce(text) {
  byId("live").textContent = text;
}

const HINT_MS = 9000;
let hintTimer;

/**
 * Shows a sentence above the page; "" hides it. `kind` is "error" or "hint"; a hint disappears after some seconds unless
 * `keep` is true.
 */
export function notice(text, kind = "error", keep = kind === "error") {
  const box = byId("notice");
  clearTimeout(hintTimer);
  if (!keep) hintTimer = setTimeout(() => notice(""), HINT_MS);
  box.hidden = !text;
  box.dataset.kind = kind;
  box.replaceChildren();
  if (!text) return;
  const close = element("button", { type: "button", textContent: "Dismiss" });
  close.addEventListener("click", () => notice(""));
  box.append(element("span", {}, text), close);
}

/**
 * Opens a modal dialog and resolves with the value of the button that closed it, "" for Escape.
 * `buttons` are [value, text] pairs; the last is the primary one.
 */
export function dialog(title, content, buttons, { wide = false, focus = null } = {}) {
  return new Promise((resolve) => {
    const heading = element("h2", { id: "dialog-title" }, title);
    const row = element("div", { className: "dialog-buttons" });
    const box = element("dialog", { className: wide ? "wide" : "", "aria-labelledby": "dialog-title" });
    box.finish = (value) => {
      box.close(value); // its event may come after the next key; the answer must not
      box.remove();
      resolve(value);
    };
    buttons.forEach(([value, text], k) => {
      const button = element("button", { type: "button", className: k === buttons.length - 1 ? "primary" : "" }, text);
      button.addEventListener("click", () => box.finish(value));
      row.append(button);
    });
    const middle = element("div", { className: "dialog-content" }, ...[content].flat());
    if (!middle.querySelector("button, input, textarea")) middle.tabIndex = 0; // the keyboard must reach it to scroll
    box.append(heading, middle, row);
    box.addEventListener("close", () => box.finish("")); // Escape
    document.body.append(box);
    box.showModal();
    (focus || row.lastElementChild).focus();
  });
}

/** Asks for one of several sentences; the digits 1 to 9 choose. Resolves with the sentence, "" if none. */
export function choose(title, choices) {
  const list = element("ol", { className: "choices" });
  const answer = dialog(title, list, [["", "Cancel"]]);
  const box = list.closest("dialog");
  choices.forEach((choice) => {
    const button = element("button", { type: "button" }, choice);
    button.addEventListener("click", () => box.finish(choice));
    list.append(element("li", {}, button));
  });
  box.addEventListener("keydown", (event) => {
    const choice = choices[Number(event.key) - 1];
    if (choice) {
      event.preventDefault();
      box.finish(choice);
    }
  });
  list.querySelector("button")?.focus();
  return answer;
}

/** Asks for a text; resolves with it, "" if none. */
export async function askText(title, label) {
  const field = element("textarea", { rows: 3, maxLength: 2000 });
  const content = element("label", { className: "field" }, label, field);
  const value = await dialog(title, content, [["", "Cancel"], ["ok", "OK"]], { focus: field });
  return value === "ok" ? field.value.trim() : "";
}
