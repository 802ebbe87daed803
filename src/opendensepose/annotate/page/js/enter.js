// Exchanges the secret behind the link's # for a session. Browsers send that part of an address to nobody, so it is in no
// log; here it is sent once, in a body.

const state = document.getElementById("state");

function show(text) {
  state.textContent = text;
  document.getElementById("more").hidden = false;
}

async function enter() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // the secret stays in no history
  if (!token) return show("You are not signed in. Open your personal link.");
  const response = await fetch("/api/enter", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (response.ok) return location.replace("/");
  const answer = await response.json().catch(() => ({}));
  return show(answer.error || `The server answered ${response.status}.`);
}

enter().catch(() => show("The server could not be reached. Load the page again."));
