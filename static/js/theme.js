// Light, dark or as the system says. A cookie remembers it; head.js reads it before the next page is painted.
const root = document.documentElement;
const choices = document.querySelector(".theme");

/** The browser's own bars in the page's colour, also where it was chosen against the system. */
function colourBars(theme) {
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    const own = meta.dataset.theme;
    meta.media = theme ? (theme === own ? "all" : "not all") : `(prefers-color-scheme: ${own})`;
  }
}

colourBars(["light", "dark"].find((theme) => root.classList.contains(theme)));

for (const choice of choices?.querySelectorAll("input") ?? []) {
  choice.checked = choice.value ? root.classList.contains(choice.value) : !root.matches(".light, .dark");
}
choices?.addEventListener("change", ({ target }) => {
  root.classList.remove("light", "dark");
  if (target.value) root.classList.add(target.value);
  colourBars(target.value);
  const age = target.value ? 365 * 24 * 3600 : 0;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${target.value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
});
