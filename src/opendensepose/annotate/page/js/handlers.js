// The function of each action in keys.js.
import { byId } from "./dom.js";
import { showInstructions, showKeys } from "./help.js";
import { clearAll, clearPart, closeGaps, loadGuess } from "./parts_actions.js";
import { deletePerson, reopenPerson, skipPerson, submitPerson } from "./finishing.js";
import { goToPeople, nextPerson, nextReview, previousPerson } from "./people.js";
import { acceptPart } from "./proposals.js";
import { goToParts, goToPoints } from "./stages.js";
import { showUser } from "./user.js";

const PAN_PX = 60;
const CROSS_STEP = [1, 10]; // picture pixels, without and with Shift

/** {action id: function(event)} */
export function makeHandlers(app) {
  const { parts, points, box, review, photo, iuv } = app;
  const moving = (work) => () => app.move(work);
  const handlers = {
    help: () => showKeys(() => app.showHints()),
    instructions: () => showInstructions(),
    undo: () => app.step("undo"),
    redo: () => app.step("redo"),
    "stage-parts": () => goToParts(app),
    "stage-points": () => goToPoints(app),
    "zoom-in": () => photo.zoom(1.3),
    "zoom-out": () => photo.zoom(1 / 1.3),
    "zoom-fit": () => (app.stage === "points" ? points.input.fitOrPoint() : app.task && photo.fit(app.task.box_xyxy)),
    "pan-left": () => photo.pan(PAN_PX, 0),
    "pan-right": () => photo.pan(-PAN_PX, 0),
    "pan-up": () => photo.pan(0, PAN_PX),
    "pan-down": () => photo.pan(0, -PAN_PX),
    "opacity-down": () => setOpacity(app, app.opacity - 10),
    "opacity-up": () => setOpacity(app, app.opacity + 10),
    iuv: () => iuv.toggleOver(),
    "iuv-fill": () => iuv.toggleFill(),
    tasks: moving(() => goToPeople(app)),
    "next-task": moving(() => nextPerson(app)),
    "previous-task": moving(() => previousPerson(app)),
    reopen: moving(() => reopenPerson(app)),
    user: () => showUser(app.session, () => app.close()),
    "review-next": moving(() => app.session.role !== "annotator" && nextReview(app)),
    "draw-box": moving(() => app.session.role === "manager" && box.start()),
    skip: moving(() => skipPerson(app)),
    submit: moving(() => submitPerson(app)),
    "tool-brush": () => parts.setTool("brush"),
    "tool-erase": () => parts.setTool("erase"),
    "tool-polygon": () => parts.setTool("polygon"),
    "tool-snap": () => parts.setTool("snap"),
    "tool-fill": () => parts.setTool("fill"),
    "brush-smaller": () => parts.setRadius(parts.radius - 1),
    "brush-larger": () => parts.setRadius(parts.radius + 1),
    "keep-others": () => parts.toggleKeepOthers(),
    "close-gaps": () => closeGaps(parts),
    "clear-part": () => clearPart(parts),
    "clear-all": () => clearAll(parts),
    guess: () => loadGuess(parts),
    "cursor-act": () => parts.input.act(),
    "polygon-close": () => parts.outline.close(),
    cancel: () => {
      if (app.stage === "points") return points.input.cancelMove();
      return (app.stage === "box" ? box : parts).cancel();
    },
    answer: () => (points.input.byKeys ? points.input.endMove() : points.answerAtCross()),
    "accept-part": () => acceptPart(points),
    "point-next": () => points.go(points.index + 1),
    "point-previous": () => points.go(points.index - 1),
    "point-open": () => points.goOpen(),
    "point-unclear": () => points.giveReason(),
    "point-clear": () => points.clearAnswer(),
    "place-move": () => points.input.startMove(),
    "view-large": () => points.views.toggleLarge(),
    "auto-next": () => points.toggleAuto(),
    comment: () => app.reviewing && review.comment(app.stage === "points" ? points.point : null),
    accept: moving(() => app.reviewing && review.accept()),
    "send-back": moving(() => app.reviewing && review.sendBack()),
    fix: moving(() => app.reviewing && review.fix()),
    "box-act": () => box.act(),
    "box-change": () => box.change(),
    "box-delete": moving(() => deletePerson(app)),
    "box-done": () => box.done(),
    "box-handle": () => box.nextHandle(),
  };
  for (const [name, [dx, dy]] of Object.entries({ left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] })) {
    handlers[`cursor-${name}`] = (event) => parts.input.moveCursor(dx, dy, event.shiftKey);
    handlers[`box-${name}`] = (event) => box.moveCursor(dx, dy, event.shiftKey);
    handlers[`cross-${name}`] = (event) => {
      const step = CROSS_STEP[event.shiftKey ? 1 : 0];
      if (points.input.byKeys) points.input.moveBy(dx * step, dy * step);
      else points.views.moveCross(dx * step, dy * step);
    };
  }
  for (let n = 1; n <= 6; n++) handlers[`view-${n}`] = () => points.chooseView(n - 1);
  for (const { id } of app.session.parts) handlers[`part-${id}`] = () => parts.select(id);
  bindInputs(app);
  return handlers;
}

function setOpacity(app, opacity) {
  app.opacity = Math.min(100, Math.max(0, opacity));
  localStorage.setItem("opacity", app.opacity);
  byId("opacity").value = app.opacity;
  byId("opacity-value").textContent = `${app.opacity} %`;
  app.photo.redraw();
}

function bindInputs(app) {
  byId("brush-size").addEventListener("input", (event) => app.parts.setRadius(Number(event.target.value)));
  byId("opacity").addEventListener("input", (event) => setOpacity(app, Number(event.target.value)));
  byId("keep-others").addEventListener("change", () => app.parts.toggleKeepOthers());
  byId("auto-next").addEventListener("change", () => app.points.toggleAuto());
  byId("iuv-over").addEventListener("change", () => app.iuv.toggleOver());
  byId("iuv-fill").addEventListener("change", () => app.iuv.toggleFill());
  setOpacity(app, app.opacity);
}
