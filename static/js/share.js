// Sharing an answered pair or a round: the system's sheet where there is one, else the link goes to the clipboard. Without
// this file the form leads to the shared page, whose URL is the link.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".share-form")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const headers = { Accept: "application/json" };
    const reply = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers });
    if (!reply.ok) throw new Error(String(reply.status));
    const { url } = await reply.json();
    if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ url, title: document.title });
    else {
      await navigator.clipboard.writeText(url);
      button.querySelector("span").textContent = button.dataset.done;
      document.getElementById("live").textContent = button.dataset.done;
    }
  } catch (error) {
    if (error.name !== "AbortError") form.submit(); // the sheet was closed, or there is no clipboard
  } finally {
    button.disabled = false;
  }
}, true);
