// Undo and redo without limit. An entry has `undo()` and `redo()`, both of which may be repeated in turn.

export class History {
  constructor(onChange = () => {}) {
    this.done = [];
    this.undone = [];
    this.onChange = onChange;
  }

  /** Notes a change that has been made. What was undone before it can no longer be redone. */
  push(entry) {
    this.done.push(entry);
    this.undone = [];
    this.onChange();
  }

  undo() {
    return this.#move(this.done, this.undone, "undo");
  }

  redo() {
    return this.#move(this.undone, this.done, "redo");
  }

  /** Forgets a change the server refused: it never happened. */
  drop(entry) {
    this.done = this.done.filter((other) => other !== entry);
    this.undone = this.undone.filter((other) => other !== entry);
    this.onChange();
  }

  clear() {
    this.done = [];
    this.undone = [];
    this.onChange();
  }

  #move(from, to, name) {
    const entry = from.pop();
    if (!entry) return false;
    to.push(entry);
    entry[name]();
    this.onChange();
    return true;
  }
}
