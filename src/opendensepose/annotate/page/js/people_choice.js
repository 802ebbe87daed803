// The people chosen in the list, across its pages, and what is done with all of them: assigned, taken back, reopened,
// deleted.
import { post } from "./api.js";
import { byId, counted, dialog, element, notice } from "./dom.js";
import { attempt } from "./list_page.js";

const AT_ONCE = 500; // people of one request
const CAN_BE_REOPENED = ["submitted", "accepted", "skipped"];
const numPeople = (count) => counted(count, "person", "people");
const keyOf = (row) => `${row.person_id}.${row.annotator_id}`;

export class Choice {
  /** `onChange()` loads the list anew. */
  constructor(onChange) {
    this.onChange = onChange;
    this.rows = new Map();
    byId("assign").addEventListener("click", () => attempt(() => this.#give("assign", { annotator_id: Number(byId("assign-to").value) })));
    byId("unassign").addEventListener("click", () => attempt(() => this.#give("unassign", {})));
    byId("delete").addEventListener("click", () => attempt(() => this.#delete()));
    byId("reopen").addEventListener("click", () => attempt(() => this.reopen([...this.rows.values()])));
  }

  has(row) {
    return this.rows.has(keyOf(row));
  }

  set(row, wanted) {
    if (wanted) this.rows.set(keyOf(row), row);
    else this.rows.delete(keyOf(row));
    row.element.classList.toggle("chosen", wanted);
    row.element.querySelector("input").checked = wanted;
    this.show();
  }

  show() {
    const rows = [...this.rows.values()];
    byId("chosen").textContent = rows.length ? `${rows.length} chosen` : "Nobody is chosen";
    byId("assign").disabled = byId("unassign").disabled = byId("delete").disabled = !rows.length;
    byId("reopen").disabled = !rows.some(({ status }) => CAN_BE_REOPENED.includes(status));
  }

  async #give(verb, body) {
    const ids = [...new Set([...this.rows.values()].map((row) => row.person_id))];
    let done = 0;
    const refused = [];
    for (let k = 0; k < ids.length; k += AT_ONCE) {
      const answer = await post(`/api/people/${verb}`, { person_ids: ids.slice(k, k + AT_ONCE), ...body });
      done += answer.assigned ?? answer.unassigned ?? answer.deleted;
      refused.push(...(answer.refused || []));
    }
    this.rows.clear();
    await this.#finish(`${numPeople(done)} ${verb.replace(/e?$/, "ed")}.`, refused.map(({ person_id: person, why }) => `Person ${person}: ${why}.`));
  }

  async #delete() {
    const count = new Set([...this.rows.values()].map((row) => row.person_id)).size;
    const text = "Their boxes, and what you drew in them, are deleted for good. People on whom others have worked are kept.";
    if ((await dialog(`Delete ${numPeople(count)}?`, element("p", {}, text), [["", "Keep them"], ["yes", "Delete"]])) !== "yes") return;
    await this.#give("delete", {});
  }

  async reopen(rows) {
    const refused = [];
    const wanted = rows.filter(({ status }) => CAN_BE_REOPENED.includes(status));
    for (const row of wanted) {
      await post(`/api/tasks/${row.task_id}/reopen`).catch((error) => refused.push(`Person ${row.person_id}: ${error.message}`));
    }
    for (const row of rows) this.rows.delete(keyOf(row)); // the others stay chosen
    await this.#finish(`${numPeople(wanted.length - refused.length)} reopened.`, refused);
  }

  async #finish(sentence, refused) {
    await this.onChange();
    const more = refused.length > 3 ? ` … and ${refused.length - 3} more` : "";
    notice([sentence, ...refused.slice(0, 3)].join(" ") + more, "hint", refused.length > 0);
  }
}
