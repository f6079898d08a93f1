// Enlarge: both images move together, by wheel, pinch, drag, double click, buttons and keys. They can be flipped in one
// place, and edits compared with their source. Without this file the links open the images.
import { setting } from "./settings.js";

const dialog = document.getElementById("zoom");
const stage = dialog.querySelector(".zoom-stage");
const level = dialog.querySelector(".zoom-level");
const MAX_SCALE = 16;

// What is seen: k times the fitting size, its centre moved by x and y (in fitting widths and heights). One for all.
let at = { x: 0, y: 0, k: 1 };
let view = "both"; // or A, B, Source, difference
let size = { width: 1, height: 1, boxWidth: 1, boxHeight: 1, natural: 1 };

const figures = () => [...stage.children];
const shown = () => figures().filter((figure) => !figure.hidden);
const between = (low, value, high) => Math.min(Math.max(value, low), high);
const actual = () => size.natural / size.width / devicePixelRatio; // one image pixel on one pixel of the screen

function picture(link, name) {
  const image = new Image();
  image.src = link.href;
  image.alt = link.querySelector("img").alt;
  image.draggable = false;
  if (name) image.className = name;
  return image;
}

function figureOf(link, source) {
  const figure = document.createElement("figure");
  const layer = document.createElement("div");
  const letter = document.createElement("figcaption");
  figure.dataset.name = link.dataset.zoom;
  letter.textContent = link.dataset.zoomName ?? link.dataset.zoom;
  letter.className = "letter";
  layer.className = "layer";
  layer.append(picture(link));
  if (source && link !== source) {
    layer.append(picture(source, "subtracted"));
    layer.lastChild.alt = "";
  }
  figure.append(layer, letter);
  return figure;
}

function measure() {
  const figure = shown()[0];
  if (!figure || !dialog.open) return;
  const image = stage.querySelector("[data-name=A] img");
  const ratio = image.naturalWidth / image.naturalHeight || 1;
  const { clientWidth: boxWidth, clientHeight: boxHeight } = figure;
  const width = Math.min(boxWidth, boxHeight * ratio);
  size = { width, height: width / ratio, boxWidth, boxHeight, natural: image.naturalWidth || width };
  draw();
}

function draw() {
  at.k = between(Math.min(1, actual()), at.k, Math.max(MAX_SCALE, actual()));
  // The images never leave their boxes: what is smaller stays in the middle.
  const freeX = Math.max(0, (at.k - size.boxWidth / size.width) / 2);
  const freeY = Math.max(0, (at.k - size.boxHeight / size.height) / 2);
  at.x = between(-freeX, at.x, freeX);
  at.y = between(-freeY, at.y, freeY);
  for (const { firstChild: layer } of figures()) {
    layer.style.width = `${size.width}px`;
    layer.style.height = `${size.height}px`;
    layer.style.transform = `translate(-50%, -50%) translate(${at.x * size.width}px, ${at.y * size.height}px) scale(${at.k})`;
  }
  stage.classList.toggle("is-close", at.k >= 2 * actual());
  level.textContent = `${Math.round((at.k / actual()) * 100)}%`;
}

/** Enlarge by a factor, round a point of the screen if one is given: it stays where it is. */
function scale(factor, point) {
  const before = at.k;
  at.k = between(Math.min(1, actual()), at.k * factor, Math.max(MAX_SCALE, actual()));
  const [dx, dy] = point ? fromCentre(point) : [0, 0];
  at.x = dx - (dx - at.x) * (at.k / before);
  at.y = dy - (dy - at.y) * (at.k / before);
  draw();
}

/** Where a point of the screen lies from the middle of its figure, in fitting widths and heights. */
function fromCentre({ clientX, clientY }) {
  const boxes = shown().map((figure) => figure.getBoundingClientRect());
  const box = boxes.find((each) => clientX >= each.left && clientX <= each.right && clientY >= each.top && clientY <= each.bottom) ?? boxes[0];
  return [(clientX - box.left - box.width / 2) / size.width, (clientY - box.top - box.height / 2) / size.height];
}

function move(dx, dy) {
  at.x += dx / size.width;
  at.y += dy / size.height;
  draw();
}

function look(wanted) {
  view = stage.dataset.view = wanted;
  for (const figure of figures()) {
    const { name } = figure.dataset;
    figure.hidden = ["both", "difference"].includes(view) ? name === "Source" : name !== view;
  }
  for (const button of dialog.querySelectorAll("button[data-view]")) {
    const { view: views } = button.dataset;
    button.setAttribute("aria-pressed", String(views.split(" ").includes(view)));
  }
  measure();
}

const steps = {
  in: () => scale(1.5), out: () => scale(1 / 1.5),
  fit: () => { at = { x: 0, y: 0, k: 1 }; draw(); },
  actual: () => scale(actual() / at.k),
  both: () => look("both"),
  flip: () => look(view === "A" ? "B" : "A"),
  source: () => dialog.classList.contains("has-source") && look(view === "Source" ? "both" : "Source"),
  difference: () => dialog.classList.contains("has-source") && look(view === "difference" ? "both" : "difference"),
  close: () => dialog.close(),
  left: () => move(size.boxWidth / 8, 0), right: () => move(-size.boxWidth / 8, 0),
  up: () => move(0, size.boxHeight / 8), down: () => move(0, -size.boxHeight / 8),
};

/** Open what the link shows: one of the pair, or the source. */
export function open(link) {
  const battle = link.closest("#battle");
  if (!battle || dialog.open) return;
  const source = battle.querySelector(".source [data-zoom]");
  dialog.classList.toggle("has-source", Boolean(source));
  stage.replaceChildren(...Array.from(battle.querySelectorAll(".pair [data-zoom]"), (each) => figureOf(each, source)));
  if (source) stage.append(figureOf(source));
  at = { x: 0, y: 0, k: 1 };
  dialog.showModal();
  look(link === source ? "Source" : "both");
  stage.querySelector("[data-name=A] img").decode().then(measure, () => {});
}
new ResizeObserver(measure).observe(stage);

// Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const KEYS = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", "+": "in", "=": "in", "-": "out", 0: "fit", 1: "actual",
  f: "flip", b: "both", o: "source", d: "difference", z: "close",
};
dialog.addEventListener("keydown", (event) => {
  const step = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[a-z]$/i.test(event.key) && setting("letters", "on") !== "on") return;
  event.preventDefault(); // or the page would open it again
  steps[step]();
});
dialog.addEventListener("click", ({ target }) => steps[target.closest("[data-do]")?.dataset.do]?.());

// Pointers: one moves, two pinch, a double tap goes to 1:1 and back, a swipe flips what is not enlarged ─────────────────

const pointers = new Map();
let gesture = null; // where the only pointer went down
let tap = null;

stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  scale(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event);
}, { passive: false });

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault(); // no image is dragged away, no text selected
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  gesture = pointers.size === 1 ? event : null;
});

stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
  pointers.set(event.pointerId, event);
  if (!other) return move(event.clientX - before.clientX, event.clientY - before.clientY);
  const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
  const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
  move((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
  scale(apart(event) / apart(before), middle);
});

function release(event) {
  if (!pointers.delete(event.pointerId) || event.type === "pointercancel" || !gesture) return;
  const dx = event.clientX - gesture.clientX;
  const dy = event.clientY - gesture.clientY;
  const isTap = Math.hypot(dx, dy) < 10;
  if (!isTap && ["A", "B"].includes(view) && at.k <= 1 && Math.abs(dx) > 40 && Math.abs(dx) > 2 * Math.abs(dy)) steps.flip();
  if (isTap && tap && event.timeStamp - tap.timeStamp < 350 && Math.hypot(event.clientX - tap.clientX, event.clientY - tap.clientY) < 30) {
    scale(at.k > 1.01 ? 1 / at.k : Math.max(2, actual()) / at.k, event);
    tap = null;
  } else tap = isTap ? event : null;
  gesture = null;
}
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);
