// The client of the server's API: JSON in, JSON out, and two kinds of errors.

/** The server refused the request: `status`, and `body.error` in one sentence. */
export class RequestError extends Error {
  constructor(status, body) {
    super(body.error || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
  }
}

/** No response came, or the server failed: `status` is then 500 or more. Worth trying again. */
export class NetworkError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const SAVE_TIMEOUT_MS = 20000; // a save without a response by then is tried again
const SLOW_TIMEOUT_MS = 600000; // a model's guess, an import, the first errors of a new server take minutes
let csrf = "";
let userId = null; // whose page this is

/** Takes the session's token, and notes whose page this is. */
export function setSession(session) {
  csrf = session.csrf;
  userId = session.id;
}

/** Calls the server; `body` is an object (sent as JSON) or a Blob. Returns the JSON answer, or null for 204. */
export async function call(method, path, body, request) {
  try {
    return await send(method, path, body, request);
  } catch (error) {
    if (error.status !== 403 || method === "GET" || !(await renewToken())) throw error;
    return send(method, path, body, request);
  }
}

/** Takes the token of a session that began in another tab; tells whether there is one. */
async function renewToken() {
  const session = await send("GET", "/api/session");
  // sent as somebody else, a change would be refused for good
  if (session.id !== userId) throw new RequestError(401, { error: `This browser is signed in as ${session.annotator} now.` });
  const isNew = session.csrf !== csrf;
  csrf = session.csrf;
  return isNew;
}

/** An id by which the server knows a repeated request. */
export function newRequestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(method, path, body, request) {
  const options = { method, credentials: "same-origin", signal: AbortSignal.timeout(method === "PUT" ? SAVE_TIMEOUT_MS : SLOW_TIMEOUT_MS), headers: {} };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrf;
  if (request) options.headers["X-Request-Id"] = request;
  if (body instanceof Blob) {
    options.body = body;
    options.headers["Content-Type"] = "application/json";
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    throw new NetworkError(error.name === "TimeoutError" ? "The server did not answer in time." : "The server could not be reached.");
  }
  const answer = parse(text);
  if (response.status >= 500) throw new NetworkError(answer?.error || `The server answered ${response.status}.`, response.status);
  if (!response.ok) throw new RequestError(response.status, answer || {});
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);

/** Sends a change while the page is left; nobody waits for the answer. */
export function sendOnLeaving(path) {
  const headers = { "X-CSRF-Token": csrf, "Content-Type": "application/json" };
  fetch(path, { method: "POST", body: "{}", headers, credentials: "same-origin", keepalive: true }).catch(() => {});
}

function parse(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return { error: "The server's answer could not be read." };
  }
}

/** Loads a picture; rejects with a sentence if it cannot be loaded. */
export function loadImage(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new NetworkError(`The picture ${url} could not be loaded.`));
    image.src = url;
  });
}
