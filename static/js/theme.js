// Light, dark or as the system says. The cookie lets the server render the class, so no page flashes.
const root = document.documentElement;

document.querySelector(".theme")?.addEventListener("change", ({ target }) => {
  root.classList.remove("light", "dark");
  if (target.value) root.classList.add(target.value);
  const age = target.value ? 365 * 24 * 3600 : 0;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${target.value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
});
