// Rows of a board open in place; the URL names the open one. Without this a link opens it by `:target`.
const open = (row, is) => {
  row.classList.toggle("is-open", is);
  row.previousElementSibling.querySelector(".opener").setAttribute("aria-expanded", String(is));
};

function toggle(row) {
  const opening = !row.classList.contains("is-open");
  for (const other of document.querySelectorAll("tr.opened.is-open")) open(other, false);
  if (opening) open(row, true);
  history.replaceState(history.state, "", opening ? `#${row.id}` : location.pathname + location.search);
}

document.addEventListener("click", (event) => {
  const summary = event.target.closest("tr[data-opens]");
  if (!summary || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const control = event.target.closest("a, button, [popover]");
  if (control && !control.matches(".opener")) return;
  if (!control && !getSelection().isCollapsed) return;
  event.preventDefault();
  toggle(document.getElementById(summary.dataset.opens));
});

function prepare(root) {
  for (const opener of root.querySelectorAll(".opener")) opener.setAttribute("aria-expanded", "false");
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("tr.opened")) {
    open(named, true);
    named.previousElementSibling.scrollIntoView({ block: "nearest" });
  }
}
prepare(document);
document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
