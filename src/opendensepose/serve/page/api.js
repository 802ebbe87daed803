// What the page asks of the server. A key, if the server wants one, is kept as long as the page is open.
let key = "";
const form = document.getElementById("key-form");

// action: what to do with a new key; the form comes back if the server does not take it.
export function onKeyGiven(action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    key = document.getElementById("key").value.trim();
    form.hidden = true;
    action();
  });
}

async function ask(url, options = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let answer;
  try {
    answer = await fetch(url, { ...options, headers });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.status === 401) form.hidden = false;
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: `The server answers with status ${answer.status}.` }));
  const wait = answer.headers.get("Retry-After");
  throw new Error(wait ? `${error} Wait ${wait} s.` : error);
}

export async function fetchJson(url) {
  return (await ask(url)).json();
}

// The photo, a Blob, labelled, in a format by name.
export function fetchAnswer(photo, format) {
  return ask(`/v1/predict?format=${encodeURIComponent(format)}`, { method: "POST", body: photo });
}
