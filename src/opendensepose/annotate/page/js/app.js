// The page's state: the session, the open person with its labels, the queue of unsaved changes, undo histories.
import { get, loadImage, post, RequestError } from "./api.js";
import { announce, notice } from "./dom.js";
import { History } from "./history.js";
import { displayName } from "./keys.js";
import { Labels } from "./labels.js";
import { Lease } from "./lease.js";
import { SaveQueue } from "./save.js";
import { showSaveState, showUndo } from "./save_state.js";
import { resolveConflict, sendUnsaved } from "./conflict.js";
import { leavePerson, showPerson } from "./person.js";

export class App {
  constructor(session, photo) {
    this.session = session;
    this.photo = photo;
    this.labels = new Labels();
    this.task = null;
    this.stage = "none";
    this.partsStale = false; // parts changed since the points were sampled
    this.histories = Object.fromEntries(["box", "parts", "points"].map((stage) => [stage, new History(() => this.showUndo())]));
  }

  showUndo = () => showUndo(this.histories?.[this.stage]);
  partName = (id) => displayName(this.session.parts.find((part) => part.id === id)?.name || `part ${id}`);
  colour = (id) => this.session.parts.find((part) => part.id === id)?.colour || "#cccccc";

  /** Whether the open person may be changed; if not, shows why. */
  mayEdit() {
    if (this.task?.editable && this.queue.state !== "conflict") return true;
    const { status } = this.task || {};
    if (this.queue?.state === "conflict") notice("Resolve the conflict first: choose which version to keep.");
    else notice(`This person is ${(status || "not open").replace("_", " ")} and cannot be changed.`, "hint");
    return false;
  }

  /** Opens a person at the stage that was left. */
  async open(task) {
    await this.close(task.id);
    this.photo.image = await loadImage(`/api/photos/${task.photo_id}/image`);
    this.queue = new SaveQueue(task, (...state) => this.showSaved(...state));
    this.lease = task.editable ? new Lease(this.queue, task.id, (error) => this.queue.conflict(error)) : null;
    Object.values(this.histories).forEach((history) => history.clear());
    notice("");
    this.take(task);
    this.showSaved("saved", 0);
    this.setStage(task.stage === "points" && task.points.length ? "points" : "parts");
    this.review.showComments(task);
    announce(`Person ${task.person_id} of ${task.photo} opened`);
    await sendUnsaved(this);
  }

  /** Replaces the open person's state by the server's. */
  take(task) {
    this.task = task;
    this.queue.version = task.version;
    this.partsStale = task.stage !== "points" || !task.points.length;
    this.labels.load(task.parts);
    showPerson(this, task);
    this.review.show(task);
    this.iuv.refresh(0);
  }

  async reload() {
    this.take(await get(`/api/tasks/${this.task.id}`));
    this.histories.points.clear();
    this.histories.parts.clear();
    this.setStage(this.stage);
  }

  /** Saves all changes, gives the person back unless they are opened again, and closes them. */
  async close(nextId) {
    if (!this.task) return;
    if (this.queue.state === "conflict") await this.resolving;
    await this.queue.flush();
    this.lease?.stop();
    this.queue.close();
    if (nextId !== this.task.id) await leavePerson(this);
    this.task = null;
    this.review.show(null);
    this.setStage("none");
  }

  setStage(stage) {
    this.stage = stage;
    document.body.dataset.stage = stage;
    this.showUndo();
    for (const step of document.querySelectorAll(".step")) {
      if (step.dataset.action === `stage-${stage}`) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    this.onStage?.(stage);
  }

  /** Goes to the points, which are sampled again if the parts have changed. */
  async goToPoints() {
    if (!this.task || this.stage === "points") return;
    const areas = this.labels.areas();
    if (areas[0] === this.labels.cells.length) return notice("Draw at least one part first: points are sampled in the parts.");
    if (this.partsStale && this.task.editable) {
      announce("Choosing the points");
      const task = await this.queue.direct("POST", `/api/tasks/${this.task.id}/points`);
      this.histories.points.clear();
      this.take(task);
    }
    this.setStage("points");
  }

  /** Queues the masks of changed parts. */
  saveParts(parts) {
    this.partsStale = true;
    this.queue.add({
      key: "parts",
      method: "PUT",
      path: `/api/tasks/${this.task.id}/parts`,
      body: { parts: Object.fromEntries(parts.map((part) => [part, this.labels.counts(part)])) },
      refused: (error) => notice(error.message),
    });
  }

  showSaved(state, count, error) {
    showSaveState(state, count, error);
    if (state === "saved") this.iuv.refresh();
    if (state === "conflict" && !this.resolving) {
      this.resolving = resolveConflict(this, error).finally(() => (this.resolving = null));
    }
  }

  /** Runs something that calls the server, and shows its error. */
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RequestError && error.status === 409 && this.resolving) return undefined;
      notice(error instanceof RequestError ? error.message : `The server could not be reached: ${error.message}`);
      return undefined;
    }
  }

  /** Saves everything, then calls `verb` of the API: submit, skip, accept, send_back. */
  async finish(verb, body = {}) {
    await this.queue.flush();
    await post(`/api/tasks/${this.task.id}/${verb}`, { ...body, version: this.queue.version });
    this.task.editable = false; // there is nothing left to give back
    await this.close();
  }
}
