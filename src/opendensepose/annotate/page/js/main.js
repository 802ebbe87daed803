// Starts the page: the session, the stages, the layers over the photo, keys and buttons.
import { get, setSession } from "./api.js";
import { App } from "./app.js";
import { BoxStage } from "./box_stage.js";
import { byId, notice } from "./dom.js";
import { makeHandlers } from "./handlers.js";
import { showInstructions } from "./help.js";
import { IuvPanel } from "./iuv_panel.js";
import { addPartActions } from "./keys.js";
import { LabelPicture, drawBox } from "./overlay.js";
import { drawPartNames } from "./part_names.js";
import { PartsStage } from "./parts_stage.js";
import { openAddress, showEmpty } from "./people.js";
import { drawOthers, giveBackOnLeaving } from "./person.js";
import { PhotoView } from "./photo_view.js";
import { PointsStage } from "./points_stage.js";
import { Review } from "./review.js";
import { showSearchState } from "./search_state.js";
import { showName } from "./user.js";
import { listenForActions } from "./dispatch.js";

async function start() {
  const session = await get("/api/session");
  setSession(session);
  addPartActions(session.parts);
  document.body.dataset.role = session.role;
  document.body.dataset.team = session.team;
  showName(session);
  showSearchState(session);
  document.querySelector("[data-action=guess]").hidden = session.guess === false;
  const app = new App(session, new PhotoView(byId("photo")));
  app.opacity = Number(localStorage.getItem("opacity") || 70);
  app.iuv = new IuvPanel(app);
  app.parts = new PartsStage(app);
  app.points = new PointsStage(app);
  app.box = new BoxStage(app);
  app.review = new Review(app);
  app.onStage = (stage) => app[stage]?.open?.();
  app.photo.layers = layersOf(app);
  listenForActions(app, makeHandlers(app));
  document.body.dataset.ready = "yes"; // keys and buttons work now
  window.addEventListener("beforeunload", (event) => {
    if (app.queue?.changes.length) event.preventDefault();
  });
  giveBackOnLeaving(app);
  window.addEventListener("popstate", () => app.attempt(() => followAddress(app)));
  if (!localStorage.getItem("instructed")) await showInstructions();
  await app.attempt(() => app.move(() => (location.hash === "#draw-box" ? app.box.start() : openAddress(app))));
}

/** Opens what the address names, after going back or forward. */
async function followAddress(app) {
  while (app.moving) await app.moving.catch(() => {});
  return app.move(() => openAddress(app));
}

/** The layers over the photo, from bottom to top. */
function layersOf(app) {
  const picture = new LabelPicture(["#000000", ...app.session.parts.map(({ colour }) => colour)]);
  const drawParts = (context, viewport) => {
    if (!app.task || app.stage === "box") return;
    drawBox(context, viewport, app.task.box_xyxy);
    context.setLineDash([]);
    drawOthers(app, context, viewport);
    const faint = app.stage === "points" ? 0.35 : 1;
    context.globalAlpha = (app.opacity / 100) * faint;
    context.imageSmoothingEnabled = false;
    app.photo.drawOver(picture.of(app.labels, app.parts.part), app.task.box_xyxy);
  };
  const drawNames = (context, viewport) => {
    if (app.stage === "parts") drawPartNames(app, context, viewport);
  };
  const drawTool = (context, viewport) => {
    if (app.stage === "parts") app.parts.input.draw(context, viewport);
    else if (app.stage === "points" && app.points.point) app.points.input.draw(context, viewport);
    else if (app.stage === "box") app.box.draw(context, viewport);
  };
  return [drawParts, (context) => app.iuv.draw(context), drawNames, drawTool];
}

start().catch((error) => {
  showEmpty("The page could not start", error.message);
  notice(error.message);
});
