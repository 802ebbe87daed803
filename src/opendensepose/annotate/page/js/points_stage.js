// Stage 2: each point in the photo is answered by a click on one of the six views of its part.
import { Answers } from "./answers.js";
import { announce, byId, choose, notice } from "./dom.js";
import { PointsInput } from "./points_input.js";
import { showPoint, showStrip } from "./points_list.js";
import { acceptProposal, askModel, isOpen, marksOf } from "./proposals.js";
import { ViewsPanel, viewsOf } from "./views.js";

const DRAG_PX = 2; // picture pixels that a press may move without being a drag
const AUTO_NEXT_MS = 350; // long enough to see the answer in the other views

export class PointsStage {
  constructor(app) {
    this.app = app;
    this.index = 0;
    this.autoNext = localStorage.getItem("auto-next") !== "no";
    this.answers = new Answers(this);
    this.views = new ViewsPanel(byId("views"), (...place) => this.pick(...place));
    this.input = new PointsInput(this);
  }

  get points() {
    return this.app.task?.points || [];
  }

  get point() {
    return this.points[this.index];
  }

  open() {
    this.app.photo.tool = this.input;
    askModel(this);
    const open = this.points.findIndex(isOpen);
    return this.go(open < 0 ? 0 : open);
  }

  /** Shows the point with this index. */
  async go(index) {
    if (!this.points.length) return this.show();
    const partBefore = this.shownPart;
    this.index = Math.max(0, Math.min(index, this.points.length - 1));
    const { part } = this.point;
    this.shownPart = part;
    this.views.cross = null;
    this.input.cancelMove();
    notice("");
    this.input.focusPhoto(partBefore === part);
    announce(`Point ${this.index + 1} of ${this.points.length}, ${this.app.partName(part)}`);
    if (partBefore !== part) this.views.load([]); // a click into the views of another part would answer this point
    this.show();
    const views = await this.app.attempt(() => viewsOf(part));
    if (!views || this.point?.part !== part || this.app.stage !== "points") return;
    this.views.load(views);
    this.show();
    const next = this.points.find((other, k) => k > this.index && other.part !== part);
    if (next) viewsOf(next.part).catch(() => {});
  }

  goOpen() {
    const order = this.points.map((_, k) => (this.index + 1 + k) % this.points.length);
    const open = order.find((k) => isOpen(this.points[k]) && !this.answers.pending(this.points[k].id));
    if (open === undefined) return notice("Every point has an answer or a reason: submit this person (Ctrl+Enter).", "hint");
    return this.go(open);
  }

  /** A press in a view answers at once; dragging adjusts the answer, which is saved on release. */
  pick(view, x, y, phase) {
    const { point } = this;
    if (!point || (phase === "down" && !this.app.mayEdit())) return;
    if (phase === "down") {
      this.pressed = { point, x, y, dragged: false };
      return this.answers.give(point, { click: { view, x, y } });
    }
    const { pressed } = this;
    if (phase === "up") this.pressed = null;
    if (pressed?.point.id !== point.id) return;
    pressed.dragged ||= x !== undefined && Math.hypot(x - pressed.x, y - pressed.y) > DRAG_PX;
    const place = x === undefined ? this.answers.dragged.get(point.id) : { view, x, y }; // let go beside the picture
    if (pressed.dragged && place) {
      if (phase === "drag") this.answers.drag(point.id, place);
      else this.answers.give(point, { click: place });
    } else if (phase === "up" && pressed.saved) this.answered(pressed.saved);
  }

  /** Enter: answers at the crosshair; without one, accepts the proposal, or goes on. */
  answerAtCross() {
    const { cross, chosen, views } = this.views;
    if (!cross && this.point && isOpen(this.point) && this.point.proposal) return acceptProposal(this);
    if (!cross) return this.point?.answer ? this.go(this.index + 1) : this.chooseView(chosen);
    if (!this.point || !this.app.mayEdit()) return;
    this.views.cross = null;
    this.answers.give(this.point, { click: { view: views[chosen].view, x: cross[0], y: cross[1] } });
  }

  clearAnswer() {
    if (this.point && this.app.mayEdit()) this.answers.give(this.point, { clear: true });
  }

  async giveReason() {
    const { point } = this;
    if (!point || !this.app.mayEdit()) return;
    const reason = await choose("Why is there no answer for this point?", this.app.session.reasons);
    if (reason) this.answers.give(point, { reason });
  }

  /** Called when the server has saved the shown point's answer: goes on, unless it may be wrong or is being dragged. */
  answered(point) {
    if (this.pressed?.point.id === point.id) return void (this.pressed.saved = point);
    const { index } = this;
    const goOn = () => this.app.stage === "points" && this.index === index && !this.pressed && this.goOpen();
    if (this.autoNext && !point.warning) setTimeout(goOn, AUTO_NEXT_MS);
  }

  /** Each point's number within its part, from 1; it determines the marker's shape. */
  numbers() {
    const seen = {};
    return this.points.map(({ part }) => (seen[part] = (seen[part] || 0) + 1));
  }

  /** Chooses a view by keyboard: its crosshair begins at the current answer, or in the middle. */
  chooseView(index) {
    this.views.choose(index);
    const here = this.point?.shown.find(({ view }) => view === this.views.views[index]?.view);
    this.views.cross ||= here ? [here.x, here.y] : null;
    this.views.moveCross(0, 0);
    this.views.focus();
  }

  toggleAuto() {
    this.autoNext = !this.autoNext;
    localStorage.setItem("auto-next", this.autoNext ? "yes" : "no");
    this.show();
  }

  show() {
    showStrip(this);
    showPoint(this);
    document.body.dataset.proposals = this.points.some(({ proposal }) => proposal);
    if (this.point) this.views.show(marksOf(this));
    this.app.photo.redraw();
  }
}
