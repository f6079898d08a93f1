// One pair of images: loaded, decoded and shown in the same frame, so that neither load time nor order says anything.

export const battle = () => document.getElementById("battle");

/** A text in the reader's language (templates/arena/_words.html), with values for its {names}. */
export function say(name, values = {}) {
  return document.getElementById("words").dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

const looked = new WeakSet();
const LATE_AFTER = 8000; // ms until a notice says why two grey boxes are all there is

/** Resolves to whether the image can be shown. A changed `srcset` choice interrupts decode() but is no failure. */
async function isDecoded(image) {
  try {
    await image.decode();
    return true;
  } catch {
    return image.complete && image.naturalWidth > 0;
  }
}

/** Resolves to whether all images of the battle – source image included – are decoded. It need not be in the page. */
export async function areDecoded(section) {
  return (await Promise.all(Array.from(section.querySelectorAll(".pair img, .source img"), isDecoded))).every(Boolean);
}

export function uncover(section) {
  looked.add(section);
  section.querySelector(".pair").classList.add("is-shown");
  section.querySelector(".votes fieldset").disabled = false; // unless only one of the two was looked at: frames.js
}

// htmx takes the forms over at this event: a vote before it would load a whole page, without retry and without the next pair.
const isReady = new Promise((ready) => {
  if (document.readyState === "complete") ready();
  else document.addEventListener("DOMContentLoaded", ready, { once: true });
});

/** Votes are taken only once both images are seen. */
export async function showTogether(section) {
  if (looked.has(section) || section.dataset.state !== "open") return;
  looked.add(section);
  section.querySelector(".votes fieldset").disabled = true;
  const late = setTimeout(() => section.dispatchEvent(new CustomEvent("arena:late", { bubbles: true })), LATE_AFTER);
  const decoded = await areDecoded(section);
  clearTimeout(late);
  await isReady;
  if (!section.isConnected) return;
  if (!decoded) {
    section.querySelector(".pair").classList.add("is-late"); // what is there is seen; voting waits for both
    section.dispatchEvent(new CustomEvent("arena:broken", { bubbles: true }));
    return;
  }
  requestAnimationFrame(() => {
    uncover(section);
    section.dispatchEvent(new CustomEvent("arena:shown", { bubbles: true }));
  });
}
