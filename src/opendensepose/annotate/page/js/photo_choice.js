// Which photo a new person's box is drawn in, where none is open.
import { get } from "./api.js";
import { dialog, element } from "./dom.js";

/** Asks for a photo; resolves with {id, name, width, height}, or null. */
export async function choosePhoto() {
  const photos = await get("/api/photos");
  const options = photos.map(({ name, people }) => element("option", { value: name }, `${name} (${people} people)`));
  const select = element("select", {}, ...options);
  const field = element("label", { className: "field" }, "Photo", select);
  const choice = await dialog("Draw a box around a person", field, [["", "Cancel"], ["ok", "Choose"]], { focus: select });
  return choice === "ok" ? photos.find(({ name }) => name === select.value) : null;
}
