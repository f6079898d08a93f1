// What a voter has chosen, stored in this browser alone; where nothing can be stored it lasts as long as the page.
const chosen = new Map();

export function setting(name, otherwise = "") {
  try { return localStorage.getItem(name) ?? otherwise; } catch { return chosen.get(name) ?? otherwise; }
}
export function store(name, value) {
  chosen.set(name, value);
  try { localStorage.setItem(name, value); } catch { /* see above */ }
}

const defaults = { letters: "on", undo: "off" };
function show() {
  for (const box of document.querySelectorAll("[data-setting]")) box.checked = setting(box.dataset.setting, defaults[box.dataset.setting]) === "on";
}
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.setting) return;
  store(target.dataset.setting, target.checked ? "on" : "off");
  show();
});
show();
