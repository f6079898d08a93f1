// Voting: keys, focus, and what a screen reader announces.
// Without this file the page is a plain form and works; htmx swaps #battle, these files look after what it brings.
import { lookAhead } from "./ahead.js";
import { battle, showTogether } from "./pair.js";

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
const letters = document.getElementById("letters");

/** After a swap: focus goes where the voter goes on, and the live region says what is new.
 *  The prompt's words take it, not the box that scrolls them: there, ↑ and ↓ would scroll a long prompt instead of voting. */
function goOn(current) {
  const voted = current.dataset.state === "voted";
  const next = current.querySelector(".next");
  (next ?? current.querySelector(".prompt-text") ?? current.querySelector("a"))?.focus({ preventScroll: true });
  const said = current.querySelector("[data-live]") ?? current.querySelector(".alert:not([hidden])");
  const prompt = current.querySelector(".prompt-text");
  document.getElementById("live").textContent = said?.textContent ?? (prompt && !voted ? `New pair. Prompt: ${prompt.textContent}` : "");
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

const ACTIONS = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "tie", ArrowDown: "both_bad",
  a: "left", b: "right", t: "tie", x: "both_bad", s: "skip", z: "zoom", "?": "help", " ": "next", Enter: "next",
};
const isVertical = (key) => key === "ArrowUp" || key === "ArrowDown";
const scrolls = (element) => element && element.scrollHeight > element.clientHeight + 1;

/** Letters can be switched off (for voices that type, and for fingers that slip); Space, Enter and arrows cannot. */
const lettersAreOn = () => {
  try { return localStorage.getItem("letters") !== "off"; } catch { return true; }
};

function isTaken(event) {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return true;
  if (event.shiftKey && (key.length > 1 || key === " ")) return true; // selects the prompt's words, or scrolls back
  if (document.querySelector("dialog[open], [popover]:popover-open")) return true;
  if (target.closest("input, textarea, select, [contenteditable]")) return true;
  if (key === "Enter" || key === " ") return Boolean(target.closest(key === " " ? "button, summary" : "a, button, summary"));
  if (isVertical(key)) return (target.matches(".prompt") && scrolls(target)) || scrolls(document.documentElement);
  return key.length === 1 && !lettersAreOn();
}

const steps = {
  skip: () => battle().querySelector(".skip button")?.click(),
  zoom: () => battle().querySelector(".pair [data-zoom]")?.click(),
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

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#battle [data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const isHidden = battle().dataset.state === "open" && !battle().querySelector(".is-shown");
  if (isHidden) return;
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
  const dialog = document.getElementById(opener.dataset.open);
  if (opener.href) dialog.querySelector("form").action = opener.href; // the report's, of the pair on the screen
  dialog.showModal();
});
letters.checked = lettersAreOn();
letters.addEventListener("change", () => {
  try { localStorage.setItem("letters", letters.checked ? "on" : "off"); } catch { /* then it lasts as long as the page */ }
});
