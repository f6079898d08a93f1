// Look properly: every image of a prompt in pairs that zoom together, with the votes beside. It opens from links with
// `data-viewer` (the prompt's JSON) and `data-entry`; the page's other links with data-viewer are its other prompts.
// Without this file the links open the image's own page.
import { linkedZoom } from "./viewer-zoom.js";

const dialog = document.querySelector("dialog.viewer"); // templates/leaderboard/_viewer.html, which also has the words
const say = (name, values) => dialog.dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const $ = (selector) => dialog.querySelector(selector);
const panes = $(".panes");
const zoom = linkedZoom(panes, (text) => { $(".level").textContent = text; });

const cache = new Map();
let prompts = []; // URLs of the page's prompts, in its order
let at = 0; // of these
let data = null;
let left = 0, right = 1; // of data.images
let view = "both";
let front = 1; // which of the two a flip shows

const load = (url) => {
  if (!cache.has(url)) cache.set(url, fetch(url, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer))));
  return cache.get(url);
};
const percents = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
const percent = (share) => (share === null ? "–" : percents.format(share));
const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

async function show(url, entry, other) {
  try {
    data = await load(url);
  } catch {
    cache.delete(url);
    location.assign(document.querySelector(`[data-viewer="${CSS.escape(url)}"]`).href); // the page says why
    return;
  }
  at = prompts.indexOf(url);
  const index = (pk) => data.images.findIndex((image) => image.id === Number(pk));
  left = Math.max(0, index(entry));
  const best = left === 0 ? 1 : 0;
  right = other && index(other) >= 0 ? index(other) : Math.min(best, data.images.length - 1);
  if (view === "source" && !data.source) view = "both";
  if (!dialog.open) { dialog.showModal(); panes.focus(); }
  if (view === "both" && (matchMedia("(max-width: 37.5rem)").matches || data.images.length < 2)) view = "flip";
  front = 0;
  dialog.classList.toggle("has-source", Boolean(data.source));
  $(".words").textContent = data.prompt;
  $(".question").textContent = data.question;
  $(".count").textContent = say("count", { at: at + 1, all: prompts.length });
  $(".turn").hidden = prompts.length < 2;
  strip();
  zoom.fit();
  draw();
}

function pane(image, side) {
  const figure = element("figure", { className: side });
  const layer = element("div", { className: "layer" });
  const picture = (source, name, alt) => element("img", { src: source, className: name, alt, draggable: false });
  layer.append(picture(image.large, "", say("by", image)));
  const other = data.source ? data.source.url : data.images[side === "left" ? right : left].large;
  if (view === "difference") layer.append(picture(other, "subtracted", ""));
  figure.append(layer, element("div", { className: "map" }, picture(image.small, "", ""), element("i")));
  figure.dataset.ratio = image.width / image.height;
  return figure;
}

function draw() {
  const sides = [["left", data.images[left]], ["right", data.images[right]]].filter(([, image], index) => image && (index === 0 || left !== right));
  const source = data.source && { large: data.source.url, small: data.source.small, model: "source", width: data.images[left].width, height: data.images[left].height };
  const one = view === "flip" || sides.length === 1;
  const shown = view === "source" ? [["source", source], sides[1] ?? sides[0]] : one ? [sides[Math.min(front, sides.length - 1)]] : sides;
  panes.replaceChildren(...shown.map(([side, image]) => pane(image, side)));
  panes.dataset.view = view;
  zoom.measure();
  $(".names").replaceChildren(...sides.map(([side, image], index) => {
    const press = element("button", { type: "button", className: side, textContent: image.model });
    press.dataset.front = index;
    press.setAttribute("aria-pressed", String(!one || front === index));
    const votes = image.votes ? say("votes", { share: percent(image.share), votes: image.votes }) : say("none");
    return element("li", {}, press, element("span", { textContent: [image.place, votes, image.is_simulated && say("simulated")].filter(Boolean).join(" · ") }), element("a", { href: image.model_url, textContent: say("page") }));
  }));
  for (const button of dialog.querySelectorAll("[data-view]")) if (button !== panes) button.setAttribute("aria-pressed", String(button.dataset.view === view));
  for (const button of dialog.querySelectorAll(".others button")) {
    const index = Number(button.dataset.index);
    button.className = index === left ? "left" : index === right ? "right" : "";
    button.setAttribute("aria-pressed", String(index === left || index === right));
  }
  const pair = data.pairs.find(({ images: [a, b] }) => (a === left && b === right) || (a === right && b === left));
  const votes = pair && (pair.images[0] === left ? pair.votes : [...pair.votes].reverse());
  $(".claim").textContent = pair ? pair.claim : left === right ? say("only") : say("unmet");
  $(".split").hidden = !pair;
  if (pair) {
    const share = (votes[0] + votes[1] / 2) / (votes[0] + votes[1] + votes[2]);
    $(".split i").style.width = `${share * 100}%`;
  }
  $(".note").textContent = pair ? say("equal") : "";
  dialog.querySelector(".others .right, .others .left")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function strip() {
  $(".others").replaceChildren(...data.images.map((image, index) => {
    const press = element("button", { type: "button" }, element("img", { src: image.small, alt: "", width: 56, height: 56 }), element("span", { textContent: image.model }), element("span", { textContent: percent(image.share) }));
    press.dataset.index = index;
    return element("li", {}, press);
  }));
}

function other(step) {
  const n = data.images.length;
  if (n < 3) return;
  do right = (right + step + n) % n; while (right === left);
  front = 1;
  draw();
}

function turn(step) {
  const next = at + step;
  if (next < 0 || next >= prompts.length) return;
  const [one, two] = [data.images[left]?.model, data.images[right]?.model];
  load(prompts[next]).then((coming) => {
    const id = (model) => coming.images.find((image) => image.model === model)?.id;
    show(prompts[next], id(one) ?? coming.images[0]?.id, id(two));
  }, () => {});
}

const set = (name) => { view = view === name && name !== "both" ? "both" : name; draw(); };
const steps = {
  in: () => zoom.scale(1.5), out: () => zoom.scale(1 / 1.5), fit: () => zoom.fit(), actual: () => zoom.actual(),
  flip: () => { if (view === "flip") front = 1 - front; else { view = "flip"; front = 1; } draw(); },
  difference: () => set("difference"), source: () => data.source && set("source"), both: () => set("both"),
  before: () => turn(-1), after: () => turn(1), left: () => other(-1), right: () => other(1), close: () => dialog.close(),
  words: () => { $("[data-do=words]").setAttribute("aria-expanded", String($(".words").classList.toggle("whole"))); },
};
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "before", ArrowDown: "after", f: "flip", d: "difference", s: "source", b: "both", "+": "in", "=": "in", "-": "out", 0: "fit", 1: "actual" };

dialog.addEventListener("keydown", (event) => {
  const step = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  steps[step]();
});
dialog.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return target === dialog && dialog.close();
  if (button.dataset.do) steps[button.dataset.do]();
  else if (button.dataset.view) steps[button.dataset.view]();
  else if (button.dataset.front) { front = Number(button.dataset.front); if (view !== "flip") view = "flip"; draw(); }
  else if (button.dataset.index) {
    const index = Number(button.dataset.index);
    if (index === left) [left, right] = [right, left];
    else right = index;
    front = 1;
    draw();
  }
});
panes.addEventListener("viewer:tap", () => { if (view === "flip") steps.flip(); });

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-viewer]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  prompts = [...new Set([...document.querySelectorAll("a[data-viewer]")].map((each) => each.dataset.viewer))];
  view = "both";
  show(link.dataset.viewer, link.dataset.entry, link.dataset.other);
});
