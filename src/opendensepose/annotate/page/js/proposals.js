// What the model says of the points: warnings of wrong answers and, for some people, proposals to accept or correct.
import { post } from "./api.js";
import { notice } from "./dom.js";

export const isOpen = ({ answer, reason }) => !answer && !reason;

/** Asks the model about the points that it has not seen; without an answer of it the work goes on. */
export async function askModel(stage) {
  const { task, session } = stage.app;
  if (!task || session.guess === false) return;
  const asked = await post(`/api/tasks/${task.id}/predictions`).catch(() => null);
  if (!asked || stage.app.task?.id !== task.id) return;
  for (const { id, proposal, warning } of asked.points) {
    const point = stage.points.find((one) => one.id === id);
    if (point) Object.assign(point, stage.answers.unsaved.has(id) ? { proposal } : { proposal, warning });
  }
  if (stage.app.stage === "points") stage.show();
}

export function acceptProposal(stage) {
  const { point, answers, app } = stage;
  if (app.mayEdit() && !answers.pending(point.id)) answers.give(point, { accept: true });
}

/** Accepts the proposals of the shown part that are left, and goes to the next open point. */
export function acceptPart(stage) {
  const { points, point, answers, app } = stage;
  const left = points.filter((one) => one.part === point?.part && isOpen(one) && one.proposal && !answers.pending(one.id));
  if (!left.length) return notice("No proposal of this part is left to accept.", "hint");
  if (!app.mayEdit()) return undefined;
  for (const one of left) answers.give(one, { accept: true });
  return stage.goOpen();
}

/**
 * The marks in the shown part's views: answered points where the server places them, pending ones where they were put,
 * proposals of open points.
 */
export function marksOf(stage) {
  const numbers = stage.numbers();
  return stage.points.flatMap((point, k) => {
    if (point.part !== stage.point.part) return [];
    const pending = stage.answers.pending(point.id);
    const proposed = !pending && isOpen(point) && Boolean(point.proposal);
    const places = pending ? [pending] : point.answer ? point.shown : proposed ? point.proposal.shown : [];
    return [{ number: numbers[k], current: k === stage.index, pending: Boolean(pending), proposed, places }];
  });
}
