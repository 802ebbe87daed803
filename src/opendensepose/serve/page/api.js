// What the page asks of the server. A key, if the server wants one, is kept as long as the page is open.
let key = "";
let whenKeyed = () => {};

export function onKeyNeeded(action) {
  whenKeyed = action;
}

document.getElementById("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = document.getElementById("key").value.trim();
  whenKeyed();
});

async function ask(url, options = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let answer;
  try {
    answer = await fetch(url, { ...options, headers });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.status === 401) document.getElementById("key-form").hidden = false;
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: `The server answers with status ${answer.status}.` }));
  const wait = answer.headers.get("Retry-After");
  throw new Error(wait ? `${error} In ${wait} s, say.` : error);
}

export async function fetchJson(url) {
  return (await ask(url)).json();
}

// The photo, a Blob, labelled, in a format by name.
export function fetchAnswer(photo, format) {
  return ask(`/v1/predict?format=${encodeURIComponent(format)}`, { method: "POST", body: photo });
}
