// Light, dark or as the system says. A cookie remembers it; head.js reads it before the next page is painted.
const root = document.documentElement;
const choices = document.querySelector(".theme");

for (const choice of choices?.querySelectorAll("input") ?? []) {
  choice.checked = choice.value ? root.classList.contains(choice.value) : !root.matches(".light, .dark");
}
choices?.addEventListener("change", ({ target }) => {
  root.classList.remove("light", "dark");
  if (target.value) root.classList.add(target.value);
  const age = target.value ? 365 * 24 * 3600 : 0;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${target.value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
});
