// Export and import of COCO-DensePose files, for managers.
import { call } from "./api.js";
import { counted, element } from "./dom.js";

/** Fills `row` with the links and fields; `onImport()` is called when people were added. */
export function showFiles(row, onImport) {
  const link = (text, query, name) =>
    element("a", { href: `/api/export.json${query}`, download: name, className: "button" }, text);
  const check = (text) => {
    const box = element("input", { type: "checkbox" });
    return [box, element("label", { className: "check" }, box, ` ${text}`)];
  };
  const [done, doneLabel] = check("as finished work");
  const [update, updateLabel] = check("update what is known");
  const file = element("input", { type: "file", accept: ".json,application/json" });
  const result = element("output", {});
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    result.textContent = "Reading …";
    try {
      const query = new URLSearchParams({ done: done.checked ? 1 : 0, update: update.checked ? 1 : 0 });
      const answer = await call("POST", `/api/import?${query}`, file.files[0]);
      const texts = [`${counted(answer.people, "new person", "new people")}, ${answer.known} known already.`];
      if (update.checked) texts.push(`${answer.updated} updated, ${answer.begun} left as work on them began.`);
      if (done.checked) texts.push(`${answer.done} with their work.`);
      result.textContent = [...texts, ...answer.problems.slice(0, 5)].join(" ");
      await onImport();
    } catch (error) {
      result.textContent = error.message;
    }
    file.value = "";
  });
  row.append(
    link("Export JSON", "", "densepose.json"),
    link("Export with vertices", "?vertex=1", "embeddings.json"),
    link("Export with unfinished work", "?all=1", "unfinished.json"),
    element("label", {}, "Import ", file),
    doneLabel,
    updateLabel,
    result,
    element("a", { className: "button", href: "/#draw-box" }, "Draw a box"),
  );
}
