// Copy buttons beside what people copy: ids, addresses, programs. Without JavaScript the text is simply there.
const say = document.getElementById("copy-words").dataset;
for (const text of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = say.label;
  button.setAttribute("aria-label", say.what.replace("{what}", text.getAttribute("aria-label") ?? text.textContent));
  text.after(button);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = say.copied;
    } catch {
      getSelection().selectAllChildren(text); // no leave to write: the text is marked, ready for Ctrl-C
      button.textContent = say.marked;
    }
    setTimeout(() => (button.textContent = say.label), 1600);
  });
}

// The section that is being read is marked in the list of sections.
const links = new Map([...document.querySelectorAll(".sections a")].map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const link = links.get(target.querySelector("[id]:is(h2)")?.id);
      if (!isIntersecting) link?.removeAttribute("aria-current"); // also when nothing takes its place, as above them all
      if (!isIntersecting || !link) continue;
      for (const other of links.values()) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      const list = link.closest("nav"); // on a phone it is wider than the screen
      list.scrollTo({ left: link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2 });
    }
  },
  { rootMargin: "-30% 0px -60% 0px" },
);
for (const id of links.keys()) {
  const section = document.getElementById(id)?.closest("section");
  if (section) seen.observe(section);
}
