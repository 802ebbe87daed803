// The page of the team: what remains and when it will be done, members and their links, errors, times, agreement.
import { get, post } from "./api.js";
import { byId, counted, dialog, element } from "./dom.js";
import { displayName } from "./keys.js";
import { attempt, button, day, fillTable, number, startPage, title } from "./list_page.js";

const PLOTS = ["error", "error_by_part", "time", "agreement", "progress"];
const SHOWN = ["accepted", "submitted", "in_work", "waiting", "skipped"];
const page = { session: null, members: [], quality: new Map() };

async function start(session) {
  page.session = session;
  byId("invite").hidden = !session.team;
  byId("invite").addEventListener("submit", (event) => {
    event.preventDefault();
    const { name, role } = event.target.elements;
    attempt(async () => {
      await invite(name.value, role.value);
      name.value = "";
    });
  });
  await load();
  attempt(showQuality); // the first time it takes minutes: the rest of the page does not wait
}

async function load() {
  const { members, progress } = await get("/api/team");
  page.members = members;
  showProgress(progress);
  showMembers();
}

function showProgress(progress) {
  const parts = SHOWN.map((state) => {
    const part = element("i", { dataset: { state }, title: `${title(state)}: ${progress[state]}` });
    part.style.flex = String(progress[state]);
    return part;
  });
  byId("bar").replaceChildren(...parts);
  byId("bar").setAttribute("aria-label", SHOWN.map((state) => `${title(state)} ${progress[state]}`).join(", "));
  const figures = { people: progress.people, ...Object.fromEntries(SHOWN.map((state) => [state, progress[state]])), annotations_left: progress.annotations_left };
  byId("progress").replaceChildren(
    ...Object.entries(figures).map(([name, value]) => element("div", {}, element("dt", {}, title(name)), element("dd", {}, String(value)))),
  );
  byId("forecast").textContent = forecast(progress);
}

function forecast({ annotations_left: left, per_day: pace, days_left: days, done_on: date, gold }) {
  const golden = gold ? ` Not counted: ${counted(gold, "gold person", "gold people")} to measure annotators with.` : "";
  if (!left) return `Nothing is left to annotate.${golden}`;
  const rest = `${counted(left, "annotation")} ${left === 1 ? "is" : "are"} left`;
  if (!pace) return `${rest}; nothing was submitted in the last seven days, so there is no forecast.${golden}`;
  return `${rest}: ${counted(days, "day")} at the pace of the last seven days, ${pace} a day, until ${date}.${golden}`;
}

function showMembers() {
  const heads = ["Name", "Role", "Link", "Last work", "Open", "Assigned", "Submitted", "Sent back", "Accepted", "Skipped", "This week", "Seconds per point", "Error, cm", "with proposals", "without", ""];
  const rows = page.members.map((one) => {
    const quality = page.quality.get(one.name);
    const counts = ["open", "assigned", "submitted", "sent_back", "accepted", "skipped"].map((state) => (state === "assigned" ? one.assigned : one.tasks[state] || 0));
    const link = one.active ? { waiting: "not opened", expired: "expired" }[one.link] || "" : "revoked";
    const errors = [quality?.error_cm, quality?.with_proposals_cm, quality?.without_proposals_cm].map((value) => number(value));
    return [nameOf(one), one.role, link, day(one.worked_at), ...counts, one.week, number(quality?.seconds_per_point), ...errors, actionsOf(one)];
  });
  fillTable("annotators", heads, rows, 4);
}

function nameOf(one) {
  return element("span", { className: one.active ? "" : "inactive" }, one.name);
}

function actionsOf(one) {
  const group = element("span", {}, element("a", { className: "button", href: `/people?annotator=${one.id}` }, "People"));
  if (!page.session.team) return group;
  group.append(" ", button(one.active ? "New link" : "Invite again", () => invite(one.name, one.role)));
  if (one.active && one.id !== page.session.id) group.append(" ", button("Revoke", () => revoke(one)));
  return group;
}

async function invite(name, role) {
  const { path } = await post("/api/team/invite", { name, role });
  byId("made").hidden = false;
  byId("made-for").textContent = `The link for ${name}, shown only now; it works once, within a week:`;
  byId("made-link").value = location.origin + path;
  byId("made-link").select();
  await load();
}

async function revoke(one) {
  const text = element("p", {}, `${one.name} can no longer sign in; their work stays. Assigned people can be given to others on the page “People”.`);
  if ((await dialog(`Revoke ${one.name}?`, text, [["", "Cancel"], ["yes", "Revoke"]])) !== "yes") return;
  await post("/api/team/revoke", { name: one.name });
  await load();
}

async function showQuality() {
  const { annotators, agreement } = await get("/api/manager/quality");
  page.quality = new Map(annotators.map((one) => [one.name, one]));
  showMembers();
  showParts(page.session.parts, annotators.filter((one) => one.gold_people !== 0));
  showAgreement(agreement);
  for (const name of PLOTS) {
    const image = element("img", { src: `/api/manager/plots/${name}.svg`, alt: `Plot: ${title(name)}` });
    byId("plots").append(element("figure", {}, image));
  }
}

/** The error of each annotator on each part: the number, and a bar to compare by. */
function showParts(parts, annotators) {
  const errorOf = (one, part) => one.per_part[part.name] ?? null;
  const largest = Math.max(1e-9, ...annotators.flatMap((one) => parts.map((part) => errorOf(one, part) ?? 0)));
  const rows = annotators.map((one) => [
    one.name,
    ...parts.map((part) => {
      const value = errorOf(one, part);
      const bar = element("i", { className: "cell-bar" });
      bar.style.width = `${(100 * (value ?? 0)) / largest}%`;
      return element("span", {}, number(value), bar);
    }),
  ]);
  fillTable("parts", ["Name", ...parts.map(({ name }) => displayName(name))], rows);
}

function showAgreement(agreement) {
  const heads = ["Annotators", "Photo", "Person", "Body mask IoU", "Same part", "Points compared", "Distance, cm"];
  const rows = agreement.map((one) => [
    one.annotators.join(" and "), one.photo, one.person, number(one.mask_iou, 2), number(one.part_agreement, 2),
    one.points, number(one.distance_cm, 2),
  ]);
  fillTable("agreement", heads, rows);
}

startPage(start);
