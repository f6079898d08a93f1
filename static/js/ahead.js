// The next pairs, loaded while the voter looks at this one. The server assigned them before this one's vote; they come
// as <template>s of the battle and are put in its place on “Next”, without waiting for the network. Their showing is
// then reported to the server, which measures the time from there on.
import { areDecoded, battle, showTogether, uncover } from "./pair.js";

let waiting = []; // {id, url, images, template, section, ready}
let isBusy = false;

const imageUrls = (root) => Array.from(root.querySelectorAll(".pair img"), (image) => image.getAttribute("src")).join();

/** Keep what is still the server's plan, in its order; what is loaded already stays loaded. */
function collect(section) {
  const templates = [...section.querySelectorAll(":scope > template[data-battle]")];
  const isFromServer = !section.matches(".is-next"); // a pair that was itself loaded ahead brings none, and ends no plan
  if (section.dataset.state === "closed" || (section.dataset.state === "open" && !templates.length && isFromServer)) waiting = [];
  if (!templates.length) return;
  waiting = templates.map((template) => {
    const images = imageUrls(template.content);
    const known = waiting.find((each) => each.id === template.dataset.battle && each.images === images);
    return known ?? { id: template.dataset.battle, url: template.dataset.url, images, template, section: null, ready: false };
  });
}

/** Whether “Next” needs no network. */
export function isLoadedAhead() {
  const images = Array.from(waiting[0]?.section?.querySelectorAll(".pair img") ?? []);
  return images.length > 0 && images.every((image) => image.complete && image.naturalWidth > 0);
}

/** A copy that belongs to the page's document: its images load at once, though nobody sees them. */
function copy(each) {
  each.section ??= document.importNode(each.template.content, true).querySelector("#battle");
  return each.section;
}

/** One pair after the other, each only when what is on the screen has arrived. */
async function load() {
  if (navigator.connection?.saveData) return;
  for (const each of waiting) {
    if (each.section) continue;
    each.ready = await areDecoded(copy(each));
  }
}

export function lookAhead(section) {
  collect(section);
  if (section.dataset.state !== "open" || section.querySelector(".is-shown")) load();
}

async function goOnWith(next, fallback) {
  const old = battle();
  const fresh = copy(next);
  const progress = old.querySelector(".next-progress .progress");
  if (progress) fresh.querySelector(".progress").replaceWith(progress);
  // Decoded images may have been thrown away again; a moment is enough to have them back.
  const ready = next.ready && (await Promise.race([areDecoded(fresh), new Promise((done) => setTimeout(done, 40, false))]));
  history.replaceState({ htmx: true }, ""); // htmx then brings back what the back button asks for
  history.pushState({ htmx: true }, "", next.url);
  fresh.classList.add("is-next");
  if (ready) uncover(fresh);
  old.replaceWith(fresh);
  window.htmx.process(fresh);
  fresh.dispatchEvent(new CustomEvent("arena:next", { bubbles: true }));
  if (ready) load();
  else showTogether(fresh);
  reportShown(fresh, next.url, fallback);
}

const answered = new WeakSet(); // pairs whose vote or skip is under way, or has arrived
document.addEventListener("htmx:beforeRequest", () => answered.add(battle()));

/** The pair is on the screen. Should the server know better – answered in another tab, expired – it decides what is next;
 *  unless a quick answer to this very pair has overtaken us: then its own reply decides. */
async function reportShown(section, url, fallback) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  try {
    const reply = await fetch(new URL("show/", new URL(url, location)), { method: "POST", headers, keepalive: true });
    const isKnown = "unsent" in document.documentElement.dataset; // an answer that waits for the network
    if (reply.status !== 204 && !isKnown && battle() === section && !answered.has(section)) location.replace(fallback);
  } catch {
    // Offline: the vote will say so, and is taken without its time.
  }
}

// Before htmx, which would fetch the next pair.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("#battle [data-next]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!isBusy && !waiting.length) return;
  event.preventDefault();
  event.stopPropagation();
  if (isBusy) return;
  isBusy = true;
  try {
    await goOnWith(waiting.shift(), link.href);
  } finally {
    isBusy = false;
  }
}, true);
