// The page's state: the session, the open person with its labels, the queue of unsaved changes, undo histories.
import { get, loadImage, NetworkError, RequestError } from "./api.js";
import { announce, notice } from "./dom.js";
import { History } from "./history.js";
import { displayName } from "./keys.js";
import { Labels } from "./labels.js";
import { Lease } from "./lease.js";
import { SaveQueue } from "./save.js";
import { showSaveState, showUndo } from "./save_state.js";
import { resolveConflicts, sendUnsaved } from "./conflict.js";
import { leavePerson, showPerson, whyNotEditable } from "./person.js";
import { showStage } from "./stages.js";

export class App {
  constructor(session, photo) {
    this.session = session;
    this.photo = photo;
    this.labels = new Labels();
    this.task = null;
    this.stage = "none";
    this.moving = null; // the promise of a move to another person
    this.reviewing = false;
    this.partsStale = false; // parts changed since the points were sampled
    this.histories = Object.fromEntries(["box", "parts", "points"].map((stage) => [stage, new History(() => this.showUndo())]));
  }

  showUndo = () => showUndo(this.histories?.[this.stage]);
  partName = (id) => displayName(this.session.parts.find((part) => part.id === id)?.name || `part ${id}`);
  colour = (id) => this.session.parts.find((part) => part.id === id)?.colour || "#cccccc";

  /** Whether the open person may be changed; if not, shows why. */
  mayEdit() {
    const why = whyNotEditable(this);
    if (why) notice(why, "hint");
    return !why;
  }

  /** Runs what leads to another person or to the points; meanwhile another press does nothing, lest it take two people. */
  async move(work) {
    if (this.moving) return undefined;
    this.moving = (async () => work())().finally(() => (this.moving = null));
    return this.moving;
  }

  /** Opens a person at the stage that was left. */
  async open(task) {
    await this.close(task.id);
    this.photo.image = await loadImage(`/api/photos/${task.photo_id}/image`);
    this.queue = new SaveQueue(task, (...state) => this.showSaved(...state));
    this.lease = task.editable ? new Lease(this.queue, task.id, (error) => this.queue.conflict(error)) : null;
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
    this.points.answers.forget();
    showPerson(this, task);
    this.review.show(task);
    this.iuv.refresh(0);
  }

  /** Shows the newest version; `isLost`: somebody else was given the person. */
  async reload(isLost = false) {
    const task = await get(`/api/tasks/${this.task.id}`);
    if (isLost) {
      this.lease?.stop();
      task.editable = false;
    }
    this.take(task);
    this.#forgetHistories();
    this.setStage(this.stage === "points" && task.points.length ? "points" : "parts");
  }

  #forgetHistories() {
    Object.values(this.histories).forEach((history) => history.clear());
  }

  /** Undoes or redoes a change of the open stage; what is being drawn becomes a change first. */
  step(name) {
    if (!this.task || !this.mayEdit()) return;
    this.parts.strokeEnd();
    this.histories[this.stage]?.[name]();
  }

  /** Saves all changes, and what is being drawn. */
  save() {
    this.parts.cancel();
    return this.queue.flush();
  }

  /** Saves all changes, gives the person back unless they are opened again, and closes them. */
  async close(nextId) {
    if (!this.task) return;
    if (this.queue.state === "conflict") await this.resolving;
    await this.save();
    this.lease?.stop();
    this.queue.close();
    this.#forgetHistories();
    if (nextId !== this.task.id) await leavePerson(this);
    this.task = null;
    this.review.show(null);
    this.setStage("none");
  }

  setStage(stage) {
    this.stage = stage;
    showStage(stage);
    this.showUndo();
    this.onStage?.(stage);
  }

  showSaved(state, count, error) {
    showSaveState(state, count, error);
    if (state === "saved") this.iuv.refresh();
    if (state === "conflict") this.resolving ??= resolveConflicts(this).finally(() => (this.resolving = null));
  }

  /** Runs something that calls the server, and shows its error. */
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      if (error.status === 409 && this.resolving) return undefined; // its dialog tells
      if (!(error instanceof RequestError || error instanceof NetworkError)) console.error(error);
      notice(error.message);
      return undefined;
    }
  }

  /** Saves everything, then calls `verb` of the API: submit, skip, accept, send_back. */
  async finish(verb, body = {}) {
    this.parts.cancel();
    await this.queue.direct("POST", `/api/tasks/${this.task.id}/${verb}`, body);
    this.task.editable = false; // there is nothing left to give back
    await this.close();
  }
}
