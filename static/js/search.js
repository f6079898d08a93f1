// “/” goes to the search field, on pages that have none to the search page. Off where single keys were switched off.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
  try { if (localStorage.getItem("letters") === "off") return; } catch { /* not stored: then keys are on */ }
  const field = [...document.querySelectorAll("main input[type=search], .site-search input")].find((input) => input.checkVisibility());
  const link = document.querySelector("a.search-link");
  if (!field && !link) return;
  event.preventDefault();
  if (field) field.focus(); else location.assign(link.href);
});
