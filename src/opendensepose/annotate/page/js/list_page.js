// What the pages of lists share: the session, the header, errors, tables, words for states.
import { get, setSession } from "./api.js";
import { byId, element, notice } from "./dom.js";
import { showSearchState } from "./search_state.js";
import { showName, showUser } from "./user.js";

export const STATES = { waiting: "waiting", open: "open", submitted: "submitted", sent_back: "sent back", accepted: "accepted", skipped: "skipped" };

/** Starts a page: `show(session)`; errors are shown. */
export async function startPage(show) {
  try {
    const session = await get("/api/session");
    setSession(session);
    document.body.dataset.role = session.role;
    showName(session);
    showSearchState(session);
    byId("user").addEventListener("click", () => attempt(() => showUser(session)));
    await show(session);
    document.body.dataset.ready = "yes";
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  if (error.status === 401) return location.assign("/enter");
  return notice(error.message);
}

/** Runs something that calls the server, and shows its error. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    return fail(error);
  }
}

export const number = (value, digits = 1) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));
export const title = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");
export const day = (seconds) => (seconds ? new Date(1000 * seconds).toLocaleDateString() : "–");

/** Fills a table; the first `texts` columns are texts, the others numbers. */
export function fillTable(id, heads, rows, texts = 1) {
  const cells = (tag, values) =>
    values.map((value, k) => element(tag, { className: k < texts ? "" : "number" }, value instanceof Node ? value : String(value)));
  byId(id).replaceChildren(element("tr", {}, ...cells("th", heads)), ...rows.map((row) => element("tr", {}, ...cells("td", row))));
  if (!rows.length) byId(id).append(element("tr", {}, element("td", { colSpan: heads.length }, "Nothing yet.")));
}

export function button(text, work) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", () => attempt(work));
  return made;
}
