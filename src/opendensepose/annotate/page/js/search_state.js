// How far the search for people is, in the bar of every page, until all photos are searched.
import { get } from "./api.js";
import { byId } from "./dom.js";

const EVERY_MS = 4000;

export async function showSearchState(session) {
  if (!session.search) return;
  const { photos, left } = await get("/api/search").catch(() => ({ left: null })); // away for a moment: asked again
  if (left !== null) byId("search-state").textContent = left ? `Finding people: ${photos - left} of ${photos} photos` : "";
  if (left !== 0) setTimeout(() => showSearchState(session), EVERY_MS);
}
