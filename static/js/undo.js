// “Three seconds to undo a vote”, a setting that is off unless the voter wants it: the answer stands in the bar while a line
// runs out, and is sent after it, at once on a second press, or when the page is left. Names come with the vote's reply, so
// nothing is taken back that was seen.
import { battle, say } from "./pair.js";
import { setting, store } from "./settings.js";

const SECONDS = 3;
let held = null; // {form, button, bar, timer}

function hold(form, button) {
  const bar = document.createElement("div");
  bar.className = "undo";
  const answer = document.createElement("button");
  const undo = document.createElement("button");
  answer.type = undo.type = "button";
  answer.className = "undo-answer";
  answer.textContent = `✓ ${button.querySelector("span").textContent}`;
  answer.style.color = getComputedStyle(button).color;
  undo.textContent = say("undo");
  bar.append(answer, undo);
  answer.onclick = send;
  undo.onclick = takeBack;
  button.classList.add("is-chosen");
  form.querySelector("fieldset").hidden = true;
  form.append(bar);
  answer.focus({ preventScroll: true });
  held = { form, button, bar, timer: setTimeout(send, SECONDS * 1000) };
  document.getElementById("live").textContent = say("undoKey", { answer: button.querySelector("span").textContent });
}

function release() {
  const { form, bar, timer } = held;
  clearTimeout(timer);
  bar.remove();
  form.querySelector("fieldset").hidden = false;
}

function send() {
  if (!held) return;
  const { form, button } = held;
  release();
  held.isSent = true;
  button.click(); // htmx reads the pressed button from the click
  held = null;
}

function takeBack() {
  const { button } = held;
  release();
  held = null;
  button.classList.remove("is-chosen");
  button.focus({ preventScroll: true });
}

// Before htmx and before what remembers the pressed button.
window.addEventListener("submit", (event) => {
  if (!event.target.matches("#battle .votes") || setting("undo") !== "on" || held?.isSent || !event.submitter) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!held) hold(event.target, event.submitter);
}, true);

window.addEventListener("keydown", (event) => {
  const isUndo = (event.key.toLowerCase() === "u" && !event.ctrlKey && !event.metaKey && !event.altKey) || (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey));
  if (held) {
    if (isUndo) takeBack();
    else if (event.key !== " " && event.key !== "Enter") return event.stopImmediatePropagation();
    else if (event.target.closest(".undo button:not(.undo-answer)")) return;
    else send();
  } else if (!isUndo || battle().dataset.state !== "voted" || document.querySelector("dialog[open]")) return;
  else offer();
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

/** Names are out: a vote that could still change would no longer be blind. */
function offer() {
  const box = document.querySelector("#battle .failure");
  const isOn = setting("undo") === "on";
  box.querySelector("p").textContent = say(isOn ? "stands" : "standsOffer");
  const button = box.querySelector("button");
  button.textContent = say(isOn ? "close" : "turnOn");
  button.onclick = () => { if (!isOn) store("undo", "on"); box.hidden = true; };
  box.hidden = false;
}

window.addEventListener("pagehide", () => {
  if (!held) return;
  const { form, button } = held;
  const body = new URLSearchParams(new FormData(form, button));
  fetch(form.action, { method: "POST", body, keepalive: true, redirect: "manual" });
  held = null;
});
