// The manager's page: who has done how much, how exactly, how fast, and how well annotators agree.
import { get } from "./api.js";
import { byId, element, notice } from "./dom.js";
import { spoken } from "./keys.js";

const PLOTS = ["error", "error_by_part", "time", "agreement", "progress"];

const number = (value, digits = 1) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));

async function start() {
  const [session, quality] = await Promise.all([get("/api/session"), get("/api/manager/quality")]);
  const { annotators, agreement, progress } = quality;
  for (const [name, value] of Object.entries({ people: progress.people, ...progress.tasks, synthetic: progress.gold })) {
    byId("progress").append(element("div", {}, element("dt", {}, words(name)), element("dd", {}, String(value ?? "–"))));
  }
  table("annotators", ["Name", "People", "Points", "Seconds per point", "Error, cm"], annotators.map((one) => [
    one.name, number(one.people, 0), number(one.points, 0), number(one.seconds_per_point), number(one.error_cm),
  ]));
  showParts(session.parts, annotators);
  showAgreement(agreement);
  for (const name of PLOTS) {
    const image = element("img", { src: `/api/manager/plots/${name}.svg`, alt: `Plot: ${words(name)}` });
    byId("plots").append(element("figure", {}, image));
  }
}

const words = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** Rows of texts; the first column is a name, the others are numbers. */
function table(id, heads, rows) {
  const cells = (tag, texts) =>
    texts.map((text, k) => element(tag, { className: k ? "number" : "" }, text instanceof Node ? text : String(text)));
  byId(id).replaceChildren(element("tr", {}, ...cells("th", heads)));
  for (const row of rows) byId(id).append(element("tr", {}, ...cells("td", row)));
  if (!rows.length) byId(id).append(element("tr", {}, element("td", { colSpan: heads.length }, "Nothing yet.")));
}

/** The error of each annotator on each part: the number, and a bar to compare by. */
function showParts(parts, annotators) {
  const errorOf = (one, part) => {
    const value = one.per_part?.[part.id] ?? one.per_part?.[part.name];
    return value !== null && typeof value === "object" ? value.error_cm : value;
  };
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
  table("parts", ["Name", ...parts.map(({ name }) => spoken(name))], rows);
}

function showAgreement(agreement) {
  const names = agreement.length ? Object.keys(agreement[0]) : ["pair"];
  const text = (value) => {
    if (Array.isArray(value)) return value.join(" and ");
    return typeof value === "number" && !Number.isInteger(value) ? number(value, 2) : String(value ?? "–");
  };
  table("agreement", names.map(words), agreement.map((one) => names.map((name) => text(one[name]))));
}

start().catch((error) => notice(error.message));
