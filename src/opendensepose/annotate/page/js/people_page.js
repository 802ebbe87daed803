// The page of all people: filtered, ordered and paged by the server; the address has the filter, so that it can be shared.
import { get } from "./api.js";
import { announce, byId, element } from "./dom.js";
import { showFiles } from "./files.js";
import { STATES, attempt, button, day, startPage } from "./list_page.js";
import { Choice } from "./people_choice.js";
import { addressOf } from "./person.js";

const PAGE = 50;
const TYPING_MS = 250;
const page = { session: null, query: new URLSearchParams(location.search), total: 0, rows: [], choice: null };
const offset = () => Number(page.query.get("offset") || 0);
const lastOffset = () => PAGE * Math.floor((page.total - 1) / PAGE);

async function start(session) {
  page.session = session;
  page.choice = new Choice(load);
  if (session.role === "manager") {
    await showMembers();
    showFiles(byId("files"), load);
  }
  listen();
  await load();
}

async function showMembers() {
  const { members } = await get("/api/team");
  const options = (list) => list.map(({ id, name }) => element("option", { value: id }, name));
  const filter = byId("filters").elements.annotator;
  filter.replaceChildren(element("option", { value: "" }, "everybody"), ...options(members));
  const active = members.filter((one) => one.active || one.id === page.session.id);
  byId("assign-to").replaceChildren(...options(active));
}

/** Asks for the page of the list that the address names, and shows it. */
async function load() {
  const asked = page.query.toString();
  const list = document.querySelector(".list");
  list.setAttribute("aria-busy", "true");
  const found = await get(`/api/people?limit=${PAGE}&${asked}`).finally(() => list.removeAttribute("aria-busy"));
  if (asked !== page.query.toString()) return undefined; // another filter was chosen meanwhile
  Object.assign(page, found);
  if (!page.rows.length && page.total) return change({ offset: lastOffset() }, true); // the last page was emptied
  showFilters();
  showRows();
  return showPager();
}

function showFilters() {
  const { elements } = byId("filters");
  const all = Object.values(page.counts).reduce((sum, count) => sum + count, 0);
  const options = [["", `all (${all})`], ["to_do", `to do (${page.counts.waiting + page.counts.open + page.counts.sent_back})`]];
  for (const [state, name] of Object.entries(STATES)) options.push([state, `${name} (${page.counts[state]})`]);
  elements.state.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  for (const name of ["search", "state", "annotator", "sort"]) {
    if (elements[name] !== document.activeElement || name === "state") elements[name].value = page.query.get(name) || (name === "sort" ? "person" : "");
  }
  elements.reverse.checked = page.query.has("reverse");
  byId("photo-filter").hidden = !page.query.has("photo");
  byId("photo-filter").textContent = `Only photo ${page.rows[0]?.photo ?? ""} ✕`;
}

function showRows() {
  const manages = page.session.role === "manager";
  const heads = ["Photo", "Person", "State", "Annotator", "Reason", "Changed", ""];
  const all = element("input", { type: "checkbox", "aria-label": "Choose all on this page" });
  all.addEventListener("change", () => page.rows.forEach((row) => page.choice.set(row, all.checked)));
  const head = element("tr", {}, ...(manages ? [element("th", {}, all)] : []), element("th", {}), ...heads.map((name) => element("th", {}, name)));
  byId("people").replaceChildren(head, ...page.rows.map((row) => rowOf(row, manages)));
  if (!page.rows.length) byId("people").append(element("tr", {}, element("td", { colSpan: heads.length + 2 }, "Nobody fits this filter.")));
  page.choice.show();
}

function rowOf(row, manages) {
  const open = element("a", { className: "button", href: addressOf({ person_id: row.person_id, by: row.annotator_id }, page.session.id, listQuery()) }, "Open");
  const photo = element("button", { type: "button", className: "as-link", title: "Show only this photo" }, row.photo);
  photo.addEventListener("click", () => change({ photo: row.photo_id }));
  const image = element("img", { src: `/api/people/${row.person_id}/thumbnail.jpg`, alt: "", loading: "lazy", decoding: "async" });
  const state = element("span", { className: "state", dataset: { state: row.status } }, STATES[row.status] + (row.assigned ? ", assigned" : ""));
  const actions = [open];
  const isOwn = row.annotator_id === page.session.id;
  if ((isOwn || manages) && ["submitted", "skipped"].includes(row.status)) actions.unshift(button("Reopen", () => page.choice.reopen([row])));
  const cells = [image, photo, `${row.person_id}${row.gold ? " (gold)" : ""}`, state, row.annotator || "–", row.skip_reason || "", day(row.changed_at)];
  const made = element("tr", {}, ...cells.map((cell) => element("td", {}, cell)), element("td", { className: "actions" }, ...actions));
  if (manages) {
    const box = element("input", { type: "checkbox", checked: page.choice.has(row), "aria-label": `Choose person ${row.person_id}` });
    box.addEventListener("change", () => page.choice.set(row, box.checked));
    made.prepend(element("td", {}, box));
    made.classList.toggle("chosen", box.checked);
  }
  row.element = made;
  return made;
}

/** The filter without the page: what a person's address carries, so that next and previous walk the same list. */
function listQuery() {
  const query = new URLSearchParams(page.query);
  query.delete("offset");
  return query.toString() || "sort=person";
}

/** Changes the filter or the page; the address follows, so that going back goes back. */
function change(values, replace = false) {
  for (const [name, value] of Object.entries({ offset: "", ...values })) {
    if (value) page.query.set(name, value);
    else page.query.delete(name);
  }
  const address = page.query.size ? `?${page.query}` : location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  return attempt(load);
}

function showPager() {
  const last = Math.min(page.total, offset() + page.rows.length);
  byId("range").textContent = page.total ? `${offset() + 1} to ${last} of ${page.total}` : "nobody";
  byId("first").disabled = byId("previous").disabled = offset() === 0;
  byId("next").disabled = byId("last").disabled = last >= page.total;
  announce(byId("range").textContent);
}

function listen() {
  const form = byId("filters");
  let typing;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.search.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => change({ search: event.target.value.trim() }, true), TYPING_MS);
  });
  for (const name of ["state", "annotator", "sort"]) form.elements[name].addEventListener("change", (event) => change({ [name]: event.target.value }));
  form.elements.reverse.addEventListener("change", (event) => change({ reverse: event.target.checked ? "1" : "" }));
  byId("photo-filter").addEventListener("click", () => change({ photo: "" }));
  byId("first").addEventListener("click", () => change({}));
  byId("previous").addEventListener("click", () => change({ offset: Math.max(0, offset() - PAGE) }));
  byId("next").addEventListener("click", () => change({ offset: offset() + PAGE }));
  byId("last").addEventListener("click", () => change({ offset: lastOffset() }));
  window.addEventListener("popstate", () => {
    page.query = new URLSearchParams(location.search);
    attempt(load);
  });
}

startPage(start);
