// The tray: shows how many models are ticked and lets two to four of them be compared. Without this the button at the
// table's end does the same.
const MOST = 4;

const say = (tray, name, values) => tray.dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

function update(form) {
  const ticked = [...form.querySelectorAll("input[name=model]:checked")];
  const tray = form.querySelector(".tray");
  tray.classList.toggle("has-ticks", ticked.length > 0);
  const names = ticked.map((input) => input.dataset.name).join(", ");
  form.querySelector("[data-count]").textContent = say(tray, ticked.length < 2 ? "more" : "ticked", { names, n: ticked.length, most: MOST });
  tray.querySelector(".primary").disabled = ticked.length < 2;
  for (const input of form.querySelectorAll("input[name=model]:not(:checked)")) input.disabled = ticked.length >= MOST;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-tray]");
  if (form && event.target.name === "model") update(form);
});
document.addEventListener("reset", (event) => {
  if (event.target.matches("[data-tray]")) setTimeout(() => update(event.target)); // once the ticks are gone
});
window.addEventListener("pageshow", () => document.querySelectorAll("[data-tray]").forEach(update)); // ticks that the browser restored
