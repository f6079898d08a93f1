// What the frames show: one image at a time or both, an edit, its source or what it changed; and the prompt opened.
// Without this file thumbs still flip (they are radio buttons) and the prompt stands whole.
import { battle, say } from "./pair.js";

const seen = new WeakMap(); // battle → sides that were on the screen

/** Whether the battle shows one image at a time. */
export const isOne = (section = battle()) => {
  const flip = section.querySelector(".flip");
  return Boolean(flip && getComputedStyle(flip).display !== "none");
};
const current = (section) => section.querySelector('.flip [value="right"]:checked') ? "right" : "left";

function check(section, side) {
  const radio = section.querySelector(`.flip [value="${side}"]`);
  if (!radio || radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Show the other image in the same place. Where both are seen anyway, the enlarged view flips them. */
export function flip() {
  const section = battle();
  if (!isOne(section)) return false;
  check(section, current(section) === "left" ? "right" : "left");
  return true;
}

/** Answers wait until both images were on the screen; the button between the thumbs says what is missing. */
export function gate(section) {
  if (section.dataset.state !== "open" || !section.isConnected) return;
  const sides = seen.get(section) ?? new Set();
  seen.set(section, sides);
  if (isOne(section)) sides.add(current(section));
  else sides.add("left").add("right");
  const isReady = sides.size === 2 && Boolean(section.querySelector(".pair.is-shown"));
  section.querySelector(".votes fieldset").disabled = !isReady;
  const button = section.querySelector(".flip-button");
  const missing = sides.has("right") ? "A" : "B";
  button?.classList.toggle("is-asking", sides.size < 2);
  for (const thumb of section.querySelectorAll(".thumb")) {
    const { side } = thumb.dataset;
    thumb.classList.toggle("is-asking", ["left", "right"].includes(side) && !sides.has(side));
  }
  if (button) button.querySelector("span").textContent = sides.size < 2 ? say("see", { letter: missing }) : say("flip");
}

document.addEventListener("change", ({ target }) => {
  const section = target.closest("#battle");
  if (!section || !target.matches(".flip input")) return;
  if (["left", "right"].includes(target.value)) {
    look(section, "edit");
    document.getElementById("live").textContent = say("image", { letter: target.value === "left" ? "A" : "B" });
  } else look(section, target.value);
  gate(section);
});
// A vote brings new frames; what they show is chosen beside the prompt, which stays.
document.addEventListener("htmx:afterSettle", () => {
  const chosen = battle().querySelector('button[data-view][aria-pressed="true"]')?.dataset.view ?? "edit";
  if (chosen !== "edit") look(battle(), chosen);
});
addEventListener("resize", () => gate(battle()));
for (const type of ["arena:shown", "arena:next", "htmx:afterSettle"]) document.addEventListener(type, () => gate(battle()));

// Tap or swipe on the image flips; no swipe ever votes.
let touched = null;
document.addEventListener("pointerdown", (event) => { touched = event.target.closest("#battle .pair") && event.isPrimary ? event : null; });
document.addEventListener("pointerup", (event) => {
  if (!touched || touched.pointerType === "mouse") return;
  const [dx, dy] = [event.clientX - touched.clientX, event.clientY - touched.clientY];
  if (Math.abs(dx) > 40 && Math.abs(dx) > 2 * Math.abs(dy)) flip();
  touched = null;
});

// Source and changes, in both frames ─────────────────────────────────────────────────────────────────────────────────

const THRESHOLD = 24; // of 255, the least change of a channel that counts: JPEG and WebP change less by themselves
const SIZE = 768;

/** Show edits, their source, or what was changed (in colour over grey) in both frames. */
export function look(section, view) {
  const source = section.querySelector(".source img");
  if (!source) return;
  section.dataset.view = view;
  for (const button of section.querySelectorAll("button[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
  for (const frame of section.querySelectorAll(".frame")) {
    frame.querySelector(".over")?.remove();
    const edit = frame.querySelector("img");
    if (view === "edit" || !edit?.naturalWidth) continue;
    const over = view === "source" ? sourceCopy(source) : changes(edit, source);
    over.classList.add("over");
    frame.append(over);
  }
}

function sourceCopy(source) {
  const image = new Image();
  image.src = source.src;
  image.alt = "";
  return image;
}

function pixels(image, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const scale = Math.max(width / image.naturalWidth, height / image.naturalHeight); // as object-fit: cover
  const [w, h] = [image.naturalWidth * scale, image.naturalHeight * scale];
  pen.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
  return [canvas, pen, pen.getImageData(0, 0, width, height)];
}

function changes(edit, source) {
  const width = Math.min(SIZE, edit.naturalWidth);
  const height = Math.round((width * edit.naturalHeight) / edit.naturalWidth);
  const [canvas, pen, after] = pixels(edit, width, height);
  const before = pixels(source, width, height)[2].data;
  const { data } = after;
  for (let i = 0; i < data.length; i += 4) {
    const most = Math.max(Math.abs(data[i] - before[i]), Math.abs(data[i + 1] - before[i + 1]), Math.abs(data[i + 2] - before[i + 2]));
    const share = Math.min(1, Math.max(0, (most - THRESHOLD) / THRESHOLD));
    const grey = 110 + 0.5 * (0.3 * data[i] + 0.59 * data[i + 1] + 0.11 * data[i + 2]);
    for (let c = 0; c < 3; c++) data[i + c] = share * data[i + c] + (1 - share) * grey;
  }
  pen.putImageData(after, 0, 0);
  return canvas;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("#battle button[data-view]");
  if (button) look(battle(), button.dataset.view);
});

// The whole prompt of a phone ────────────────────────────────────────────────────────────────────────────────────────

let watcher = null;
/** Open or close the whole prompt. Back closes it where the browser says so (CloseWatcher). */
export function read(isOpen) {
  const section = battle();
  if (section.classList.contains("is-reading") === isOpen) return;
  section.classList.toggle("is-reading", isOpen);
  const opener = section.querySelector(".prompt [data-prompt-open]");
  for (const button of section.querySelectorAll("[data-prompt-open]")) button.setAttribute("aria-expanded", String(isOpen));
  if (isOpen && "CloseWatcher" in window) {
    watcher = new CloseWatcher();
    watcher.onclose = () => read(false);
  } else watcher?.destroy();
  (isOpen ? section.querySelector("[data-prompt-close]") : opener)?.focus({ preventScroll: true });
}
document.addEventListener("click", ({ target }) => {
  if (target.closest("#battle [data-prompt-open]")) read(!battle().classList.contains("is-reading"));
  if (target.closest("#battle [data-prompt-close]")) read(false);
});
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") read(false); });
