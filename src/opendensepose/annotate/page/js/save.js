// Saves every change when it is made: one request at a time, in order, with the version it was made on.
// Changes that cannot be sent are kept, also in the browser's storage, and retried; a conflict stops the queue until the
// annotator has resolved it. The state is one of "saved", "saving", "offline", "conflict", "signed-out".
import { call, NetworkError, newRequestId } from "./api.js";
import { keepUnsaved } from "./unsaved.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const WAKING = ["online", "focus"]; // on coming back from another tab the user may be signed in again

export class SaveQueue {
  constructor(task, onState) {
    this.id = task.id;
    this.version = task.version;
    this.changes = [];
    this.state = "saved";
    this.onState = onState;
    this.failures = 0;
    this.running = false;
    this.isCalling = false; // `direct` is waiting for its answer
    this.closed = false;
    this.waiting = [];
    this.wake = () => this.changes.length && this.#run();
    for (const name of WAKING) window.addEventListener(name, this.wake);
  }

  /** Queues a change {method, path, body, done(answer), refused(error)}; one with the `key` of the last is merged. */
  add(change) {
    // Every retry has the same id: a save whose response was lost is neither done twice nor a conflict.
    change.request ??= newRequestId();
    const last = this.changes.at(-1);
    if (change.key && last?.key === change.key && !last.sent) {
      last.body.parts = { ...last.body.parts, ...change.body.parts };
    } else {
      this.changes.push(change);
    }
    this.#store();
    this.#run();
  }

  /** Resolves when everything is saved; rejects on a conflict or if the person is closed. */
  flush() {
    if (!this.changes.length && !this.running) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Saves everything, then calls the server with the current version; changes made meanwhile wait for its answer. */
  async direct(method, path, body = {}) {
    while (this.changes.length || this.running) await this.flush();
    this.running = this.isCalling = true;
    this.#setState("saving");
    try {
      const answer = await call(method, path, { ...body, version: this.version });
      if (answer?.version !== undefined) this.version = answer.version;
      return answer;
    } catch (error) {
      if (error.status === 409) this.conflict(error);
      throw error;
    } finally {
      this.running = this.isCalling = false;
      this.#run();
    }
  }

  conflict(error) {
    this.problem = error;
    this.#setState("conflict", error);
    this.waiting.splice(0).forEach(({ reject }) => reject(error));
  }

  /** Continues after a conflict on top of `version`, with or without the waiting changes. */
  resume(version, keepChanges) {
    this.version = version;
    if (!keepChanges) this.changes = [];
    this.changes.forEach((change) => Object.assign(change, { sent: false, request: newRequestId() }));
    this.state = "saved";
    this.#store();
    this.#run();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const name of WAKING) window.removeEventListener(name, this.wake);
    this.waiting.splice(0).forEach(({ reject }) => reject(new Error("Another person was opened.")));
  }

  async #run() {
    clearTimeout(this.timer);
    if (this.running || this.closed || this.state === "conflict") return;
    this.running = true;
    try {
      while (this.changes.length && (await this.#send(this.changes[0])));
    } finally {
      this.running = false;
    }
    if (this.changes.length || this.closed) return;
    this.#setState("saved");
    this.waiting.splice(0).forEach(({ resolve }) => resolve());
  }

  /** Sends a change; returns whether the next one can follow. */
  async #send(change) {
    if (this.state !== "offline") this.#setState("saving");
    change.sent = true;
    let answer;
    try {
      answer = await call(change.method, change.path, { ...change.body, version: this.version }, change.request);
    } catch (error) {
      return this.#failed(change, error);
    }
    this.version = answer.version;
    this.#remove(change);
    change.done?.(answer);
    return true;
  }

  #failed(change, error) {
    if (this.closed) return false;
    if (error instanceof NetworkError) return this.#retryLater(error);
    if (error.status === 409) return this.conflict(error), false;
    if (error.status === 401) return this.#setState("signed-out", error), false;
    this.#remove(change);
    change.refused?.(error);
    return true;
  }

  #remove(change) {
    this.failures = 0;
    this.changes = this.changes.filter((other) => other !== change);
    this.#store();
    if (this.state === "offline") this.#setState("saving");
  }

  #retryLater(error) {
    this.#setState("offline", error);
    this.timer = setTimeout(this.wake, RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
    return false;
  }

  #setState(state, error) {
    this.state = state;
    this.onState(state, this.changes.length, error);
  }

  #store() {
    keepUnsaved(this.id, this.version, this.changes);
  }
}
