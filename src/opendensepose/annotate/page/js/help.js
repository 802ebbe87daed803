// The list of keys behind `?`, where they can be changed, and the instructions with their pictures.
import { ACTIONS, keyLabel, keyName, keysOf, resetKeys, setKey } from "./keys.js";
import { dialog, element } from "./dom.js";

const STAGES = { any: "Everywhere", parts: "Stage 1: parts", points: "Stage 2: points", box: "Drawing a box", review: "Review" };

export async function showKeys(onChange) {
  const content = element("div", { className: "keys" });
  const state = element("p", { role: "status" }, "Press “Change”, then the new key. Your keys are stored in this browser.");
  content.append(state);
  for (const [stage, title] of Object.entries(STAGES)) {
    const table = element("table", {}, element("caption", {}, title));
    for (const one of ACTIONS.filter((action) => action.stage === stage)) table.append(keyRow(one, state, onChange));
    content.append(table);
  }
  const choice = await dialog("Keys", content, [["reset", "Reset all"], ["", "Close"]], { wide: true });
  if (choice !== "reset") return;
  resetKeys();
  onChange();
}

function keyRow(action, state, onChange) {
  const keys = element("td", { className: "key-cell" });
  const show = () => keys.replaceChildren(...keysOf(action.id).map((key) => element("kbd", {}, keyLabel(key))));
  const button = element("button", { type: "button", "aria-label": `Change the key of: ${action.label}` }, "Change");
  button.addEventListener("click", () => {
    state.textContent = `New key for “${action.label}”: press it now (Esc: keep the old one).`;
    button.addEventListener("keydown", (event) => listen(event), { once: true });
  });
  const listen = (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) {
      button.addEventListener("keydown", (again) => listen(again), { once: true });
      return;
    }
    const key = keyName(event);
    const stages = ["any", "review"].includes(action.stage) ? Object.keys(STAGES) : ["any", "review", action.stage];
    const taken = ACTIONS.find((one) => one !== action && stages.includes(one.stage) && keysOf(one.id).includes(key));
    if (key === "Escape") state.textContent = "The key is unchanged.";
    else if (key === "Tab" || taken) {
      state.textContent = `${keyLabel(key)} is taken${taken ? `: ${taken.label}` : " by the browser"}.`;
    } else {
      setKey(action.id, key);
      state.textContent = `${keyLabel(key)}: ${action.label}`;
      show();
      onChange();
    }
  };
  show();
  return element("tr", {}, element("td", {}, action.label), keys, element("td", {}, button));
}

/** The instructions: pictures of the package, views of the surface. */
const PAGES = [
  {
    title: "Draw the body behind the clothes",
    text: "A skirt, a coat or loose sleeves hide the body: draw where the legs, the torso and the arms are. Leave out cloth beyond the body, and hair beyond the skull.",
    pictures: ["coat", "coat_parts", "skirt", "skirt_parts"].map((name) => `/static/instructions/${name}.png`),
  },
  {
    title: "Then: the same place of the body",
    text: "For each cross in the photo, click the same place of the body in the view that shows it best; it appears in the other views at once. If you cannot tell, give a reason.",
    pictures: ["/api/views/14/0.png", "/api/views/14/1.png", "/api/views/3/0.png"],
  },
  {
    title: "Only what is visible of this person",
    text: "Leave out what another person or an object in front hides. Clothes do not count as hiding the body.",
    pictures: [],
  },
  {
    title: "Left and right are the person's own",
    text: "Seen from the front, the person's left hand is on the right side of the photo.",
    pictures: [],
  },
];

export async function showInstructions() {
  const list = PAGES.map(({ title, text, pictures }) => {
    const row = element("div", { className: "pictures" });
    for (const src of pictures) {
      const picture = element("img", { src, alt: "" });
      picture.addEventListener("error", () => picture.remove());
      row.append(picture);
    }
    return element("section", { className: "instruction" }, element("h3", {}, title), element("p", {}, text), row);
  });
  await dialog("What to draw and what to click", element("div", { className: "instructions" }, ...list), [["", "Start"]], {
    wide: true,
  });
  localStorage.setItem("instructed", "yes");
}
