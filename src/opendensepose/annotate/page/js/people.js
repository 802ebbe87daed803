// Choosing a person: the list, the next one; skipping and submitting; export and import of files.
import { call, get, post } from "./api.js";
import { byId, choose, dialog, element, notice } from "./dom.js";
import { warningLines } from "./points_list.js";

const STATUS = { open: "○ open", submitted: "✓ submitted", sent_back: "↩ sent back", accepted: "★ accepted", skipped: "– skipped" };

export async function nextPerson(app) {
  app.reviewing = false;
  await app.close();
  const task = await post("/api/tasks/next");
  if (task) return app.open(task);
  const finding = app.session.team ? "" : " The model may still be searching new photos: try again in a moment.";
  showEmpty("No person is waiting", `Every person is annotated, skipped or being worked on.${finding}`);
}

export async function nextReview(app) {
  app.reviewing = true;
  await app.close();
  const task = await get("/api/review/next");
  if (task) return app.open(task);
  showEmpty("Nothing to review", "No submitted person is waiting for review.");
}

export function showEmpty(title, text) {
  byId("empty-title").textContent = title;
  byId("empty-text").textContent = text;
  byId("task-name").textContent = "No person open";
}

export async function skipPerson(app) {
  if (!app.task || !app.mayEdit()) return;
  const reason = await choose("Why is this person skipped?", app.session.reasons);
  if (!reason) return;
  await app.finish("skip", { reason });
  await nextPerson(app);
}

export async function submitPerson(app) {
  if (!app.task || !app.mayEdit()) return;
  const { points } = app.task;
  const open = points.filter((point) => !point.answer && !point.reason).length;
  const warned = points.filter((point) => point.warning).length;
  if (!points.length || app.partsStale) return notice("Answer the points first: the parts alone are not enough.");
  if (open) {
    if (app.stage !== "points") app.setStage("points");
    await app.points.goOpen();
    return notice(`${open} of ${points.length} points have neither an answer nor a reason; here is the next one.`, "hint");
  }
  if (warned) {
    const text = `${warned} of ${points.length} answers look wrong (⚠). Check them, or submit them as they are.`;
    const lines = element("ul", { className: "warning-lines" }, ...warningLines(app).map((line) => element("li", {}, line)));
    const content = [element("p", {}, text), lines];
    const choice = await dialog("Submit anyway?", content, [["", "Keep working"], ["yes", "Submit"]]);
    if (choice !== "yes") {
      if (app.stage === "points") await app.points.go(points.findIndex((point) => point.warning));
      return undefined;
    }
  }
  const { photo, id } = app.task;
  await app.finish("submit");
  await nextPerson(app);
  return notice(`Submitted: ${photo}, person ${id}, ${points.length} points.`, "hint");
}

/** Shows the list of people; managers also get export, import and drawing a box. */
export async function showPeople(app, drawBox) {
  const tasks = await get("/api/tasks");
  const done = tasks.filter(({ status }) => status === "submitted" || status === "accepted").length;
  const table = element("table", { className: "people" });
  table.append(element("tr", {}, ...["Photo", "Person", "Status", "By", ""].map((name) => element("th", {}, name))));
  const finishers = [];
  for (const task of tasks) {
    const open = element("button", { type: "button" }, "Open");
    open.addEventListener("click", () => finishers.forEach((finish) => finish(`open ${task.id}`)));
    const texts = [task.photo, String(task.id), STATUS[task.status] || task.status, task.annotator || ""];
    table.append(element("tr", {}, ...texts.map((text) => element("td", {}, text)), element("td", {}, open)));
  }
  const content = [
    element("p", {}, `${done} of ${tasks.length} people submitted or accepted.`),
    element("div", { className: "scroll" }, table),
  ];
  const mayManage = app.session.role === "manager";
  if (mayManage) content.push(filesRow());
  const buttons = mayManage ? [["box", "Draw a box"], ["", "Close"]] : [["", "Close"]];
  const answer = dialog("People", content, buttons, { wide: true });
  finishers.push((value) => table.closest("dialog").finish(value));
  const choice = await answer;
  if (choice === "box") return drawBox();
  if (choice.startsWith("open ")) await app.open(await get(`/api/tasks/${choice.slice(5)}`));
}

function filesRow() {
  const file = element("input", { type: "file", accept: ".json,application/json" });
  const result = element("output", {});
  file.addEventListener("change", async () => {
    result.textContent = "Reading …";
    try {
      const answer = await call("POST", "/api/import", file.files[0]);
      result.textContent = [`${answer.people} new people, ${answer.known} known already.`, ...answer.problems].join(" ");
    } catch (error) {
      result.textContent = error.message;
    }
  });
  const link = element("a", { href: "/api/export.json", download: "densepose.json", className: "button" }, "Export JSON");
  const vertices = element("a", { href: "/api/export.json?vertex=1", download: "embeddings.json", className: "button" });
  vertices.append("Export with vertices");
  return element("p", { className: "files" }, link, vertices, element("label", {}, "Import ", file), result);
}
