// Review: accept, send back with comments on points, or fix. Comments are shown as text, never as markup.
import { post } from "./api.js";
import { announce, askText, byId, counted, dialog, element, notice } from "./dom.js";
import { finishPerson } from "./finishing.js";

export class Review {
  constructor(app) {
    this.app = app;
    this.comments = []; // {point_id | null, text}, to be sent when the person is sent back; kept in this browser
  }

  get #key() {
    return `comments.${this.task}`;
  }

  #keep() {
    if (this.comments.length) localStorage.setItem(this.#key, JSON.stringify(this.comments));
    else localStorage.removeItem(this.#key);
  }

  #add(comment) {
    this.comments.push(comment);
    this.app.task.comments.push({ id: `new-${this.comments.length}`, author: "you", ...comment });
  }

  /** Shows the bar while a person is being reviewed; null: no person is open. */
  show(task) {
    byId("review-bar").hidden = !this.#reviews(task);
    if (this.task !== task?.id && this.comments.length) {
      this.kept = `Not sent, kept in this browser: ${counted(this.comments.length, "comment")} on person ${this.person}.`;
      notice(this.kept, "hint");
    }
    this.comments = [];
    this.task = task?.id;
    this.person = task?.person_id;
    if (task && this.#reviews(task)) {
      for (const comment of JSON.parse(localStorage.getItem(this.#key) || "[]")) this.#add(comment);
    }
    this.#count();
  }

  #reviews(task) {
    return this.app.reviewing && task?.status === "submitted";
  }

  /** Shows the reviewers' comments to the annotator, or what a reviewer has left unsent with the person before. */
  showComments(task) {
    if (this.kept) notice(this.kept, "hint");
    this.kept = null;
    if (this.#reviews(task) || !task.comments.length) return;
    const texts = task.comments.map(({ point_id: id, author, text }) => {
      const index = task.points.findIndex((point) => point.id === id);
      return `${author}${index >= 0 ? `, on point ${index + 1}` : ""}: ${text}`;
    });
    notice(texts.join(" · "), "hint", true);
  }

  async comment(point) {
    const place = point ? `point of ${this.app.partName(point.part)}` : "person as a whole";
    const text = await askText("Comment", `On the ${place}`);
    if (!text) return;
    this.#add({ point_id: point?.id ?? null, text });
    this.#keep();
    this.#count();
    if (this.app.stage === "points") this.app.points.show();
    announce("Comment noted; it is sent with “Send back”");
  }

  async sendBack() {
    if (!this.comments.length) await this.comment(null);
    if (!this.comments.length) return notice("Write at least one comment: say what is wrong.", "hint");
    await this.#finish("send_back", { comments: this.comments });
  }

  async accept() {
    if (this.comments.length) {
      const text = element("p", {}, `Dropped: ${counted(this.comments.length, "comment")}, as they are sent only with “Send back”.`);
      const choice = await dialog("Accept without the comments?", text, [["", "Cancel"], ["yes", "Accept"]]);
      if (choice !== "yes") return;
    }
    await this.#finish("accept");
  }

  async #finish(verb, body) {
    const { id } = this.app.task;
    const sent = this.comments;
    this.comments = [];
    try {
      await finishPerson(this.app, verb, body);
    } catch (error) {
      if (this.app.task?.id === id) this.comments = sent; // refused: the person is still open
      throw error;
    } finally {
      if (!this.comments.length || this.app.task?.id !== id) localStorage.removeItem(`comments.${id}`);
    }
  }

  async fix() {
    const task = await post(`/api/tasks/${this.app.task.id}/fix`, { version: this.app.queue.version });
    await this.app.open(task);
    notice("You can change this person now; submit it when it is right.", "hint");
  }

  #count() {
    const n = this.comments.length;
    byId("review-comments").textContent = n ? `${counted(n, "comment")} noted` : "no comments yet";
  }
}
