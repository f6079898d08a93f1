// The tray: shows which models are ticked and lets two to four of them be compared. Without this the button at the
// table's end does the same.
const MOST = 4;

/** A ticked model in the tray: its row's picture, and its name. */
function chip(input) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = input.dataset.name;
  item.append(input.closest("tr").querySelector(".col-picture > *").cloneNode(true), name);
  return item;
}

function update(form) {
  const ticked = [...form.querySelectorAll("input[name=model]:checked")];
  const tray = form.querySelector(".tray");
  tray.classList.toggle("has-ticks", ticked.length > 0);
  tray.querySelector(".tray-models").replaceChildren(...ticked.map(chip));
  tray.querySelector("[data-names]").textContent = ticked.map((input) => input.dataset.name).join(", ");
  const { more, ticked: count } = tray.dataset;
  tray.querySelector("[data-count]").textContent = ticked.length < 2 ? more : count.replace("{n}", ticked.length).replace("{most}", MOST);
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
