// Examples fill the prompt; a pressed button says that something happens, and cannot be pressed twice.
const form = document.querySelector("form.asking");
const prompt = document.querySelector("#prompt");

for (const idea of document.querySelectorAll("[data-prompt]")) {
  idea.addEventListener("click", () => {
    prompt.value = idea.dataset.prompt;
    prompt.focus();
  });
}

form?.addEventListener("submit", (event) => {
  // After the browser has read the form: a disabled button would not be sent.
  setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
  if (event.submitter?.value === "generate") {
    event.submitter.dataset.label = event.submitter.textContent;
    event.submitter.textContent = event.submitter.dataset.sending;
  }
});

// A question that got lost, on a train or while the site restarts, is asked again: else the page would wait for ever.
function askAgain({ target, detail }) {
  if (detail.xhr?.status >= 400 && detail.xhr.status < 500) return; // deleted, or somebody else's
  setTimeout(() => target.dispatchEvent(new Event("again")), 2000);
}
for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(type, askAgain);

// Back from the next page: what the browser restored of this one must work again.
addEventListener("pageshow", (event) => {
  if (!event.persisted || !form) return;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  const generate = form.querySelector("button[value=generate]");
  if (generate?.dataset.label) generate.textContent = generate.dataset.label;
});
