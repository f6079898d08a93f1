// The tray: shows which models are ticked and lets two to four of them be compared. Without this the button at the
// table's end does the same.
const MOST = 4;
const STORED = "catalogue-ticks"; // ids, space between: a filter loads the table again, with other rows

/** Ticked rows of this table, and what was ticked before among rows that a filter has put aside. */
function storeTicks(form) {
  const here = [...form.querySelectorAll("input[name=model]")];
  const aside = storedIds().filter((id) => !here.some((input) => input.value === id));
  const ticked = here.filter((input) => input.checked).map((input) => input.value);
  try { sessionStorage.setItem(STORED, [...ticked, ...aside].slice(0, MOST).join(" ")); } catch { /* only this table, then */ }
}

function storedIds() {
  try { return (sessionStorage.getItem(STORED) ?? "").split(" ").filter(Boolean); } catch { return []; }
}

function restore(form) {
  const ids = storedIds();
  for (const input of form.querySelectorAll("input[name=model]")) input.checked ||= ids.includes(input.value);
  update(form);
}

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
  if (form && event.target.name === "model") {
    update(form);
    storeTicks(form);
  }
});
document.addEventListener("reset", (event) => {
  if (!event.target.matches("[data-tray]")) return;
  try { sessionStorage.removeItem(STORED); } catch { /* nothing was stored */ }
  setTimeout(() => update(event.target)); // once the ticks are gone
});
window.addEventListener("pageshow", () => document.querySelectorAll("[data-tray]").forEach(restore)); // beside ticks that the browser restored
