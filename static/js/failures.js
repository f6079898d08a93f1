// When the network or the server fails: say so, store the choice, send it when there is a network again. Voting twice is
// harmless, the server takes the first answer only.
import { isLoadedAhead } from "./ahead.js";
import { battle, say } from "./pair.js";

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
  return { isVote: elt.matches(".votes"), retry: () => (trigger?.isConnected ? trigger.click() : location.reload()) };
}

function unsent(event) {
  if (asksAgain(event)) return;
  const { isVote, retry } = again(event);
  if (isVote && pressed?.isConnected) queue(event.detail.elt, pressed, retry);
  else fail(say("unsent"), say("again"), retry).focus();
}
document.addEventListener("htmx:sendError", unsent);
document.addEventListener("htmx:timeout", unsent);

document.addEventListener("htmx:responseError", (event) => {
  if (asksAgain(event)) return;
  const { status } = event.detail.xhr;
  const { isVote, retry } = again(event);
  if (status >= 500) fail(say(isVote ? "voteFailed" : "failed"), say("again"), retry).focus();
  else fail(rejection(event.detail.xhr) ?? say("invalid"), say("reload"), () => location.reload()).focus();
});

/** The server's own reason, where its page has one: too many new voters of one network, for example. */
function rejection({ responseText }) {
  return new DOMParser().parseFromString(responseText, "text/html").querySelector("main [role=alert]")?.textContent;
}

// A vote without a network: it waits in this tab and is sent once the network is back. “Next pair” goes on meanwhile, where
// a pair was loaded ahead – anything else would leave for the browser's own error page, and the vote with it.
const waiting = []; // {url, body, section}
const RETRY = 15_000; // ms

function queue(form, button, retry) {
  const section = battle();
  const body = new URLSearchParams(new FormData(form));
  body.set("outcome", button.value);
  waiting.push({ url: form.action, body, section });
  document.documentElement.dataset.unsent = ""; // the server still waits for this answer, and ahead.js knows why
  const note = document.createElement("div");
  note.className = "unsent";
  note.innerHTML = "<p role='alert'></p>";
  form.querySelector("fieldset").hidden = true;
  form.append(note);
  note.firstChild.textContent = say("saved");
  const step = isLoadedAhead() ? next(section) : document.createElement("button");
  if (!step.href) Object.assign(step, { type: "button", textContent: say("again"), onclick: retry });
  step.classList.add("button");
  note.append(step);
  step.focus();
}

function next(section) {
  const link = document.createElement("a");
  link.className = "primary next";
  link.dataset.next = "";
  link.href = section.dataset.next;
  link.textContent = say("next");
  return link;
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
    words.textContent = say("broken", { letter: side.querySelector(".letter").textContent });
    retry.type = "button";
    retry.className = "button";
    retry.textContent = say("again");
    retry.onclick = () => location.reload();
    frame.classList.add("is-broken");
    frame.append(words, retry);
  }
});

document.addEventListener("arena:late", () => {
  fail(say("late"), say("again"), () => location.reload());
});

for (const type of ["htmx:beforeRequest", "arena:shown", "arena:next"]) {
  document.addEventListener(type, () => {
    const box = document.querySelector("#battle .failure");
    if (box) box.hidden = true;
  });
}
