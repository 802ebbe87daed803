// Changes of the open person's box: shown at once, saved in order, undone and redone.
import { announce, notice } from "./dom.js";

export class BoxSaving {
  /** show(box) is called with each box that is to be seen, [x1, y1, x2, y2] in the photo's pixels. */
  constructor(app, show) {
    Object.assign(this, { app, show });
  }

  change(before, after) {
    if (before.every((side, k) => side === after[k])) return;
    this.app.histories.box.push({ undo: () => this.#save(before), redo: () => this.#save(after) });
    this.#save(after);
  }

  /** Shows the box before the server has it, so that what the annotator does next begins with it. */
  #save(box) {
    const { queue, task } = this.app;
    this.show(box);
    queue.add({
      method: "PUT",
      path: `/api/tasks/${task.id}/box`,
      body: { box_xyxy: box },
      done: (answer) => {
        this.app.take(answer);
        this.#answered(answer.box_xyxy);
        announce("Box changed");
      },
      refused: (error) => {
        this.#answered(this.app.task.box_xyxy);
        notice(error.message);
      },
    });
  }

  #answered(box) {
    if (!this.app.queue.changes.length) this.show(box); // else a later change is seen already
  }
}
