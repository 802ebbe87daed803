// Going from person to person: by address, next and previous; what is shown when nobody is left.
import { get, NetworkError, post } from "./api.js";
import { byId, notice } from "./dom.js";
import { placeInAddress } from "./person.js";

const SEARCH_MS = 2000;

/** Opens what the address names; without a person, the next one, or for reviewers the next submission. */
export async function openAddress(app) {
  const { person, by, list, review } = placeInAddress();
  app.list = list;
  if (person) return openPerson(app, person, by);
  return app.session.role === "reviewer" || review ? nextReview(app) : nextPerson(app);
}

export async function openPerson(app, person, by) {
  await app.close();
  const task = await post(`/api/people/${person}/open`, by ? { by } : {}).catch((error) => {
    showEmpty("This person cannot be opened", error.message);
    return null;
  });
  if (task === null) return;
  app.reviewing = app.session.role !== "annotator" && task.status === "submitted" && (task.annotator_id !== app.session.id || !app.session.team);
  await app.open(task);
}

/** The next person: of the list one came from; of one's own, while looking back; else the next one to work on. */
export async function nextPerson(app, after = app.task?.id ?? app.left) {
  const { task } = app;
  if (app.reviewing && !app.list) return nextReview(app);
  if (task && (app.list || !task.editable)) {
    const { next } = await neighbours(app, task);
    if (next) return openPerson(app, next.person_id, next.by);
    if (app.list) return notice("This is the last person of the list.", "hint");
  }
  app.reviewing = false;
  app.list = null;
  await app.close();
  const found = await post("/api/tasks/next", after ? { after } : {});
  if (found) {
    await app.open(found);
    if (found.id === after) notice("Nobody else is waiting: this is the person you left.", "hint");
    return;
  }
  showEmpty("No person is waiting", "Every person is annotated, skipped or being worked on.");
  if (app.session.search) await showSearch(app);
}

/** A server that is away for a moment is asked again: null. */
function away(error) {
  if (!(error instanceof NetworkError)) throw error;
  return null;
}

/** Tells that the search for people goes on, and opens the next person when one is found. */
async function showSearch(app) {
  const search = await get("/api/search").catch(away);
  if (app.task || app.stage !== "none" || search?.left === 0) return;
  if (search) byId("empty-text").textContent = `The model searches the photos for people: ${search.photos - search.left} of ${search.photos} done.`;
  clearTimeout(app.searching);
  app.searching = setTimeout(() => app.attempt(() => app.move(() => openFound(app))), SEARCH_MS);
}

async function openFound(app) {
  if (app.task || app.stage !== "none") return;
  const found = await post("/api/tasks/next").catch(away);
  if (found) await app.open(found);
  else await showSearch(app);
}

export async function previousPerson(app) {
  const { task } = app;
  if (!task) return;
  const { previous } = await neighbours(app, task);
  if (!previous) return notice("This is the first person of the list.", "hint");
  await openPerson(app, previous.person_id, previous.by);
}

/** The people before and after one: of the list, of the submissions in review, or of one's own people. */
export async function neighbours(app, task) {
  const query = new URLSearchParams(app.list ?? (app.reviewing ? "state=submitted&sort=changed" : `annotator=${app.session.id}`));
  query.set("person", task.person_id);
  query.set("by", task.annotator_id);
  if (app.place) query.set("at", app.place);
  const found = await get(`/api/people/neighbours?${query}`);
  app.place = found.at ?? app.place;
  return found;
}

export async function nextReview(app, after = app.task?.id) {
  app.reviewing = true;
  app.list = null;
  await app.close();
  const task = await get(`/api/review/next${after ? `?after=${after}` : ""}`);
  if (!task) return showEmpty("Nothing to review", "No submitted person is waiting for review.");
  await app.open(task);
  if (task.id === after) notice("Nobody else is waiting for review: this is the person you left.", "hint");
}

export function showEmpty(title, text) {
  byId("empty-title").textContent = title;
  byId("empty-text").textContent = text;
  byId("task-name").textContent = "No person open";
  document.title = "Annotate · opendensepose";
  document.body.dataset.reopen = false;
  byId("read-only").hidden = true;
  if (placeInAddress().person) history.replaceState(null, "", "/");
}

/** Goes to the list of people. */
export async function goToPeople(app) {
  await app.close();
  location.assign(`/people${app.list ? `?${app.list}` : ""}`);
}
