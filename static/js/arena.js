// Voting: keys, focus, and what a screen reader announces.
// Without this file the page is a plain form and works; htmx swaps #battle, these files look after what it brings.
import { lookAhead } from "./ahead.js";
import { flip, isOne, look } from "./frames.js";
import { battle, say, showTogether } from "./pair.js";
import { setting, store } from "./settings.js";
import "./undo.js";

let zoom = null;
/** Script and style, only once the pair is there: nobody enlarges what they do not see, and the images come first. */
function loadZoom() {
  zoom ??= new Promise((styled, failed) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = document.getElementById("zoom").dataset.style;
    link.onload = styled;
    link.onerror = failed;
    document.head.append(link);
  }).then(() => import("./zoom.js"));
  zoom.catch(() => { zoom = null; });
  return zoom;
}

const help = document.getElementById("help");

/** After a swap: focus goes where the voter goes on, and the live region says what is new. */
function goOn(current) {
  const voted = current.dataset.state === "voted";
  const next = current.querySelector(".next");
  const question = current.querySelector(".question");
  (next ?? question ?? current.querySelector("a"))?.focus({ preventScroll: true });
  const said = current.querySelector("[data-live]") ?? current.querySelector(".alert:not([hidden])");
  const progress = current.querySelector(".progress b");
  const pair = question && !voted ? say("pair", { position: progress?.textContent ?? "", question: question.textContent }) : "";
  document.getElementById("live").textContent = said?.textContent ?? pair;
  if (!voted) window.scrollTo(0, 0);
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.closest(".making")) return; // only a figure has changed
  showTogether(battle());
  lookAhead(battle());
  goOn(battle());
});
// The bar turns into names by a view transition, where there are any and motion is wanted. htmx starts it and forgets it;
// one that is cut short, by a phone that is turned for example, is no error: the change itself was made.
const start = document.startViewTransition?.bind(document);
if (start) {
  document.startViewTransition = (change) => {
    const transition = start(change);
    transition.ready.catch(() => {});
    return transition;
  };
}
document.addEventListener("htmx:beforeTransition", (event) => {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) event.preventDefault();
});
// While the browser takes its picture of the old page, that page's buttons work again: a second answer, by a double click or
// a quick finger, would be refused, and the refusal shown in place of the names.
const replied = new WeakSet(); // pairs whose answer has come back and is about to be shown
document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (detail.shouldSwap && detail.target === battle()) replied.add(battle()); });
document.addEventListener("htmx:beforeRequest", (event) => { if (replied.has(battle())) event.preventDefault(); });
// The second half of a double click was meant for what its first half pressed, not for what has come into that place: it
// would vote on a pair that nobody has looked at, skip one, or leave for a model's page.
const DOUBLE_CLICK = 400; // ms
let changedAt = -Infinity;
let former = null;
for (const type of ["htmx:afterSettle", "arena:next", "arena:shown"]) {
  document.addEventListener(type, () => { changedAt = performance.now(); });
}
window.addEventListener("click", (event) => {
  if (!event.detail || !event.target.closest("#battle")) return; // by key, or elsewhere
  const isNear = former && Math.hypot(event.clientX - former.clientX, event.clientY - former.clientY) < 30;
  former = event;
  if (!isNear || event.timeStamp - changedAt > DOUBLE_CLICK) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("arena:shown", () => lookAhead(battle()));
document.addEventListener("arena:shown", loadZoom, { once: true });
document.addEventListener("arena:next", () => goOn(battle()));
// The page that everybody enters by shows a battle whose own URL brings it back, with its names once it is answered.
if (battle().dataset.url) history.replaceState(history.state, "", battle().dataset.url);
showTogether(battle());
lookAhead(battle());

// Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

// ↑, ↓, Page and Home keys only ever scroll. ← and → vote where nothing can scroll sideways.
const ACTIONS = {
  ArrowLeft: "left", ArrowRight: "right", a: "left", b: "right", t: "tie", x: "both_bad", s: "skip",
  z: "zoom", f: "flip", o: "source", d: "difference", e: "edit", "?": "help", " ": "next", Enter: "next",
};
const isSideways = (key) => key === "ArrowLeft" || key === "ArrowRight";
const scrollsSideways = (element) => element.scrollWidth > element.clientWidth + 1;

/** Letters and arrows can be switched off, for voices that type and fingers that slip; Space and Enter cannot. */
const lettersAreOn = () => setting("letters", "on") === "on";

function isTaken(event) {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return true;
  if (event.shiftKey && (key.length > 1 || key === " ")) return true; // selects the prompt's words, or scrolls back
  if (document.querySelector("dialog[open], [popover]:popover-open")) return true;
  if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return true;
  if (target.matches("input") && (key === " " || key === "Enter")) return true; // ticks a word of the prompt
  if (key === "Enter" || key === " ") return Boolean(target.closest(key === " " ? "button, summary" : "a, button, summary"));
  if (isSideways(key)) return !lettersAreOn() || scrollsSideways(document.documentElement);
  return key.length === 1 && !lettersAreOn();
}

const steps = {
  skip: () => battle().querySelector(".skip button")?.click(),
  zoom: () => battle().querySelector(".pair [data-zoom]")?.click(),
  flip: () => flip() || steps.zoom(),
  source: () => look(battle(), battle().dataset.view === "source" ? "edit" : "source"),
  difference: () => look(battle(), battle().dataset.view === "difference" ? "edit" : "difference"),
  edit: () => look(battle(), "edit"),
  pairs: () => { store("pairs", isOne() ? "both" : "one"); dispatchEvent(new Event("pairs")); dispatchEvent(new Event("resize")); },
  help: () => help.showModal(),
  next: () => battle().querySelector(".next")?.click(),
};

document.addEventListener("keydown", (event) => {
  // A key that is held down answers once: the browser would press the focused button, then “Next”, again and again.
  if (event.repeat && event.key === "Enter" && event.target.closest("#battle")) event.preventDefault();
  const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || isTaken(event)) return;
  if (action === "next" && !battle().querySelector(".next")) return;
  event.preventDefault();
  const step = steps[action] ?? (() => battle().querySelector(`.votes [value="${action}"]`)?.click());
  step();
});

// A held O blinks: the source for as long as the key is down.
const HELD = 300; // ms
let blinkedAt = 0;
document.addEventListener("keydown", ({ key, repeat }) => { if (key === "o" && !repeat) blinkedAt = performance.now(); });
document.addEventListener("keyup", ({ key }) => { if (key === "o" && battle().dataset.view === "source" && performance.now() - blinkedAt > HELD) look(battle(), "edit"); });

document.addEventListener("click", ({ target }) => {
  const step = target.closest("[data-step]")?.dataset.step;
  if (!step) return;
  target.closest("dialog")?.close();
  steps[step]();
});
document.addEventListener("click", async (event) => {
  const link = event.target.closest("#battle [data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const isHidden = battle().dataset.state === "open" && !battle().querySelector(".is-shown");
  if (isHidden) return;
  if (event.isTrusted && link.closest(".pair") && isOne()) return flip(); // a swipe's end is no click
  try {
    (await loadZoom()).open(link);
  } catch {
    location.assign(link.href); // without the script the link opens the image
  }
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  opener.closest("dialog")?.close();
  const dialog = document.getElementById(opener.dataset.open);
  const report = battle().querySelector(".report-link");
  if (dialog.id === "report" && !report) return;
  if (dialog.id === "more") showChoices(dialog, report);
  if (report && dialog.id === "report") dialog.querySelector("form").action = report.href; // the report's, of the pair on the screen
  dialog.showModal();
});

/** What the sheet offers now: no skip after the vote, no report twice, the other way to show the pair. */
function showChoices(dialog, report) {
  const hasFlip = matchMedia("(orientation: portrait)").matches;
  const choice = dialog.querySelector("[data-step=pairs]");
  dialog.querySelector("[data-step=skip]").hidden = battle().dataset.state !== "open";
  dialog.querySelector("[data-open=report]").hidden = !report;
  dialog.querySelector("[data-step=zoom]").hidden = !battle().querySelector(".pair");
  choice.hidden = !hasFlip || !battle().querySelector(".pair");
  const label = choice.querySelector("span");
  label.textContent = isOne() ? label.dataset.both : label.dataset.one;
}
