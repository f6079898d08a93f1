// When the network or the server fails: say so, keep the choice, offer the same again. Voting twice is harmless, the
// server takes the first answer only.
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

document.addEventListener("arena:broken", () => {
  fail("An image could not be loaded. Try again, or skip this pair.", "Try again", () => location.reload());
});

document.addEventListener("arena:late", () => {
  fail("The images are slow to arrive. Both will be shown together; you can also skip this pair.", "Try again", () => location.reload());
});

for (const type of ["htmx:beforeRequest", "arena:shown"]) {
  document.addEventListener(type, () => {
    const box = document.querySelector("#battle .failure");
    if (box) box.hidden = true;
  });
}
