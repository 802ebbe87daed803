// The manager's page: progress, errors, times, and agreement between annotators.
import { get } from "./api.js";
import { byId, element, notice } from "./dom.js";
import { displayName } from "./keys.js";

const PLOTS = ["error", "error_by_part", "time", "agreement", "progress"];

const number = (value, digits = 1) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));

async function start() {
  const [session, quality] = await Promise.all([get("/api/session"), get("/api/manager/quality")]);
  const { annotators, agreement, progress } = quality;
  for (const [name, value] of Object.entries({ people: progress.people, ...progress.tasks, gold_people: progress.gold })) {
    byId("progress").append(element("div", {}, element("dt", {}, title(name)), element("dd", {}, String(value ?? "–"))));
  }
  table("annotators", ["Name", "People", "Points", "Seconds per point", "Error, cm", "with proposals", "without"], annotators.map((one) => [
    one.name, number(one.people, 0), number(one.points, 0), number(one.seconds_per_point), number(one.error_cm),
    number(one.with_proposals_cm), number(one.without_proposals_cm),
  ]));
  showParts(session.parts, annotators);
  showAgreement(agreement);
  for (const name of PLOTS) {
    const image = element("img", { src: `/api/manager/plots/${name}.svg`, alt: `Plot: ${title(name)}` });
    byId("plots").append(element("figure", {}, image));
  }
}

const title = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** Fills a table; the first column is a name, the others are numbers. */
function table(id, heads, rows) {
  const cells = (tag, texts) =>
    texts.map((text, k) => element(tag, { className: k ? "number" : "" }, text instanceof Node ? text : String(text)));
  byId(id).replaceChildren(element("tr", {}, ...cells("th", heads)));
  for (const row of rows) byId(id).append(element("tr", {}, ...cells("td", row)));
  if (!rows.length) byId(id).append(element("tr", {}, element("td", { colSpan: heads.length }, "Nothing yet.")));
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
  table("parts", ["Name", ...parts.map(({ name }) => displayName(name))], rows);
}

function showAgreement(agreement) {
  const heads = ["Annotators", "Photo", "Person", "Body mask IoU", "Same part", "Points compared", "Distance, cm"];
  table("agreement", heads, agreement.map((one) => [
    one.annotators.join(" and "), one.photo, one.person, number(one.mask_iou, 2), number(one.part_agreement, 2),
    one.points, number(one.distance_cm, 2),
  ]));
}

start().catch((error) => notice(error.message));
