// When the network or the server fails: say so, store the choice, send it when there is a network again. Voting twice is
// harmless, the server takes the first answer only.
import { battle } from "./pair.js";

// Not of a question that asks itself again: it will.
const asksAgain = ({ detail }) => detail.elt.matches(".making");
let pressed = null;
document.addEventListener("submit", (event) => {
  pressed?.classList.remove("is-chosen");
  pressed = event.submitter;
  pressed?.classList.add("is-chosen"); // seen at once, however long the answer takes
}, true);

function fail(message, label, retry) {
  const box = document.querySelector("#battle .failure");
  box.querySelector("p").textContent = message;
  const button = box.querySelector("button");
  button.textContent = label;
  button.onclick = () => { box.hidden = true; retry(); };
  box.hidden = false;
  return button;
}

function again(event) {
  const { elt } = event.detail;
  const trigger = elt.matches("form") ? pressed : elt;
  return { what: elt.matches(".votes") ? "your vote" : "your request", retry: () => (trigger?.isConnected ? trigger.click() : location.reload()) };
}

function unsent(event) {
  if (asksAgain(event)) return;
  const { what, retry } = again(event);
  const form = event.detail.elt;
  if (form.matches(".votes") && pressed?.isConnected) queue(form, pressed);
  fail(`You seem to be offline – ${what} was not sent.`, "Try again", retry).focus();
}
document.addEventListener("htmx:sendError", unsent);
document.addEventListener("htmx:timeout", unsent);

document.addEventListener("htmx:responseError", (event) => {
  if (asksAgain(event)) return;
  const { status } = event.detail.xhr;
  const { what, retry } = again(event);
  if (status >= 500) fail(`Something went wrong on our side; ${what} may not have arrived. Trying again is safe.`, "Try again", retry).focus();
  else fail("This page is no longer valid. Reload it to go on.", "Reload", () => location.reload()).focus();
});

// A vote without a network: it waits in this tab, “Next pair” goes on with what was loaded ahead, and it is sent in its turn
// once the network is back. Its names are on its own page then.
const waiting = []; // {url, body, section}
const RETRY = 15_000; // ms

function queue(form, button) {
  const section = battle();
  if (waiting.some((vote) => vote.section === section)) return;
  const body = new URLSearchParams(new FormData(form));
  body.set("outcome", button.value);
  waiting.push({ url: form.action, body, section });
  document.documentElement.dataset.unsent = ""; // the server still waits for this answer, and ahead.js knows why
  const note = document.createElement("div");
  note.className = "unsent";
  note.innerHTML = "<p></p>";
  note.firstChild.textContent = "Saved here, sent when you are online.";
  const next = document.createElement("a");
  next.className = "button primary next";
  next.dataset.next = "";
  next.href = section.dataset.next;
  next.textContent = "Next pair";
  note.append(next);
  form.querySelector("fieldset").hidden = true;
  form.append(note);
}

let isFlushing = false;
async function flush() {
  if (isFlushing) return;
  isFlushing = true;
  try {
    await sendAll();
  } finally {
    isFlushing = false;
    if (!waiting.length) delete document.documentElement.dataset.unsent;
  }
}

async function sendAll() {
  while (waiting.length) {
    const { url, body, section } = waiting[0];
    if (section.isConnected) {
      waiting.shift();
      restore(section);
      section.querySelector(`.votes [value="${body.get("outcome")}"]`).click(); // with its names
      return;
    }
    try {
      const reply = await fetch(url, { method: "POST", body, redirect: "manual", headers: JSON.parse(document.body.getAttribute("hx-headers")) });
      if (reply.status >= 500) return;
    } catch {
      return;
    }
    waiting.shift();
  }
}
function restore(section) {
  section.querySelector(".unsent")?.remove();
  section.querySelector(".votes fieldset").hidden = false;
  section.querySelector(".failure").hidden = true;
}
addEventListener("online", flush);
setInterval(() => { if (waiting.length && navigator.onLine) flush(); }, RETRY);
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (!detail.elt.matches(".votes")) return;
  const index = waiting.findIndex(({ section }) => section === battle());
  if (index < 0) return;
  waiting.splice(index, 1);
  if (!waiting.length) delete document.documentElement.dataset.unsent;
  restore(battle());
});
addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });

// An image that does not come: its frame says so, both frames stay, answers wait, a skip works.
document.addEventListener("arena:broken", ({ target }) => {
  for (const side of target.querySelectorAll(".side")) {
    const image = side.querySelector("img");
    if (!image || (image.complete && image.naturalWidth)) continue;
    const frame = side.querySelector(".frame");
    const words = document.createElement("p");
    const retry = document.createElement("button");
    if (!target.querySelector(".is-broken")) words.setAttribute("role", "alert"); // heard once
    words.textContent = `Image ${side.querySelector(".letter").textContent} could not be loaded. Voting waits for both.`;
    retry.type = "button";
    retry.className = "button";
    retry.textContent = "Try again";
    retry.onclick = () => location.reload();
    frame.classList.add("is-broken");
    frame.append(words, retry);
  }
});

document.addEventListener("arena:late", () => {
  fail("The images are slow to arrive. Both will be shown together; you can also skip this pair.", "Try again", () => location.reload());
});

for (const type of ["htmx:beforeRequest", "arena:shown", "arena:next"]) {
  document.addEventListener(type, () => {
    const box = document.querySelector("#battle .failure");
    if (box) box.hidden = true;
  });
}
