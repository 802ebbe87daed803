// Saves every change when it is made: one request at a time, in order, with the version it builds on.
// What cannot be sent is kept (in the browser's storage too) and tried again; a conflict stops the queue until the
// annotator has decided. The state is one of "saved", "saving", "offline", "conflict", "signed-out".
import { call, Unreachable } from "./api.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export class SaveQueue {
  constructor(task, onState) {
    this.id = task.id;
    this.version = task.version;
    this.changes = [];
    this.state = "saved";
    this.onState = onState;
    this.failures = 0;
    this.running = false;
    this.closed = false;
    this.waiting = [];
    this.wake = () => this.#run();
    window.addEventListener("online", this.wake);
  }

  /** Queues a change {method, path, body, done(answer), refused(error)}; one with the `key` of the last is merged. */
  add(change) {
    // The same number is sent with every try: a try whose answer was lost is not done twice, and is no conflict.
    change.request ??= freshNumber();
    const last = this.changes.at(-1);
    if (change.key && last?.key === change.key && !last.sent) {
      last.body.parts = { ...last.body.parts, ...change.body.parts };
    } else {
      this.changes.push(change);
    }
    this.#keep();
    this.#run();
  }

  /** Resolves when everything is saved; rejects when a conflict or the closing of the person forbids it. */
  flush() {
    if (!this.changes.length && !this.running) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** After everything before it is saved, calls the server with the version and takes over the new one. */
  async direct(method, path, body = {}) {
    await this.flush();
    try {
      const answer = await call(method, path, { ...body, version: this.version });
      if (answer?.version !== undefined) this.version = answer.version;
      return answer;
    } catch (error) {
      if (error.status === 409) this.conflict(error);
      throw error;
    }
  }

  conflict(error) {
    this.#setState("conflict", error);
    this.waiting.splice(0).forEach(({ reject }) => reject(error));
  }

  /** Goes on after a conflict, on top of `version`: with the changes that wait, or without them. */
  resume(version, keepChanges) {
    this.version = version;
    if (!keepChanges) this.changes = [];
    this.changes.forEach((change) => Object.assign(change, { sent: false, request: freshNumber() }));
    this.state = "saved";
    this.#keep();
    this.#run();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.wake);
    this.waiting.splice(0).forEach(({ reject }) => reject(new Error("Another person was opened.")));
  }

  async #run() {
    clearTimeout(this.timer);
    if (this.running || this.closed || this.state === "conflict") return;
    this.running = true;
    while (this.changes.length && (await this.#send(this.changes[0])));
    this.running = false;
    if (this.changes.length || this.closed) return;
    this.#setState("saved");
    this.waiting.splice(0).forEach(({ resolve }) => resolve());
  }

  async #send(change) {
    if (this.state !== "offline") this.#setState("saving");
    try {
      change.sent = true;
      const answer = await call(change.method, change.path, { ...change.body, version: this.version }, change.request);
      this.version = answer.version;
      this.#took(change);
      change.done?.(answer);
    } catch (error) {
      if (this.closed) return false;
      if (error instanceof Unreachable) return this.#later(error);
      if (error.status === 409) return this.conflict(error), false;
      if (error.status === 401) return this.#setState("signed-out", error), false;
      this.#took(change);
      change.refused?.(error);
    }
    return true;
  }

  #took(change) {
    this.failures = 0;
    this.changes = this.changes.filter((other) => other !== change);
    this.#keep();
    if (this.state === "offline") this.#setState("saving");
  }

  #later(error) {
    this.#setState("offline", error);
    this.timer = setTimeout(this.wake, RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
    return false;
  }

  #setState(state, error) {
    this.state = state;
    this.onState(state, this.changes.length, error);
  }

  #keep() {
    const kept = this.changes.map(({ method, path, body, key, request }) => ({ method, path, body, key, request }));
    if (kept.length) localStorage.setItem(`unsaved.${this.id}`, JSON.stringify({ version: this.version, kept }));
    else localStorage.removeItem(`unsaved.${this.id}`);
  }
}

function freshNumber() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Changes of an earlier visit that never reached the server: {version, kept}, or null. */
export function unsavedChanges(id) {
  return JSON.parse(localStorage.getItem(`unsaved.${id}`) || "null");
}
