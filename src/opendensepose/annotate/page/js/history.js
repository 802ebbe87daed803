// Undo and redo without limit. An entry has `undo()` and `redo()`, which are called alternately.

export class History {
  constructor(onChange = () => {}) {
    this.done = [];
    this.undone = [];
    this.onChange = onChange;
  }

  /** Records a change. What was undone before can no longer be redone. */
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

  /** Removes a change that the server refused. */
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
