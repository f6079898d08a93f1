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
  if (event.submitter?.value === "generate") event.submitter.textContent = "Sending …";
});

// Back from the next page: what the browser kept of this one must work again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
