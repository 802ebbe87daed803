// Who is signed in: shown on every page, with a link for another browser, and signing out.
import { post } from "./api.js";
import { byId, dialog, element } from "./dom.js";

/** Shows the name; who works alone has none. */
export function showName(session) {
  const button = byId("user");
  button.hidden = !session.team;
  button.textContent = session.annotator;
  button.setAttribute("aria-label", `Signed in as ${session.annotator}, ${session.role}`);
}

/** Asks what to do; `leave` saves what is open before the user is signed out. */
export async function showUser(session, leave = async () => {}) {
  if (!session.team) return;
  const link = element("input", { readOnly: true, hidden: true, className: "link", "aria-label": "Link for another browser" });
  const make = element("button", { type: "button" }, "Make a link for another browser");
  const note = element("p", { className: "quiet", role: "status" }, "The link works once, within a day.");
  make.addEventListener("click", async () => {
    try {
      link.value = location.origin + (await post("/api/link")).path;
      link.hidden = false;
      link.select();
    } catch (error) {
      note.textContent = error.message;
    }
  });
  const text = `You work as ${session.annotator} (${session.role}). After signing out you need a new personal link to come back.`;
  const content = [element("p", {}, text), element("p", {}, make), link, note];
  const choice = await dialog("Signed in", content, [["out", "Sign out"], ["", "Close"]]);
  if (choice !== "out") return;
  await leave();
  await post("/api/logout");
  location.assign("/enter");
}
