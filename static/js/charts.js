// Charts are links in a picture and work without this. With it they are one stop for the Tab key, arrows walk from
// mark to mark, and a mark's title is a tooltip on hover and on focus; Esc hides it.
for (const frames of document.querySelectorAll("[data-chart]")) prepare(frames);
document.addEventListener("htmx:load", (event) => { // a board that was filtered comes with new pictures
  for (const frames of event.detail.elt.querySelectorAll("[data-chart]")) prepare(frames);
});

function prepare(frames) {
  if (frames.querySelector(".chart-tip")) return;
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // it repeats the link's own name
  frames.append(tip);

  for (const plot of frames.querySelectorAll(".plot")) {
    const links = [...plot.querySelectorAll(".dots a")].sort((a, b) => place(a).x - place(b).x || place(a).y - place(b).y);
    for (const link of links) {
      const title = link.querySelector("title");
      link.setAttribute("aria-label", title.textContent);
      title.remove(); // or the browser would show its own tooltip over ours
      link.setAttribute("tabindex", "-1");
    }
    (plot.querySelector(".dots .current") ?? links[0])?.setAttribute("tabindex", "0");

    plot.addEventListener("keydown", (event) => {
      const at = links.indexOf(event.target.closest(".dots a"));
      if (event.key === "Escape") tip.hidden = true;
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      const next = links[Math.min(Math.max(to, 0), links.length - 1)];
      links[at].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
    plot.addEventListener("pointerover", ({ target }) => show(target.closest(".dots a")));
    plot.addEventListener("focusin", ({ target }) => show(target.closest(".dots a")));
    plot.addEventListener("pointerout", hide);
    plot.addEventListener("focusout", hide);
  }

  function hide() {
    const focused = document.activeElement?.closest(".dots a");
    if (focused && frames.contains(focused)) show(focused);
    else tip.hidden = true;
  }

  function show(link) {
    if (!link) return;
    tip.textContent = link.getAttribute("aria-label");
    tip.hidden = false;
    const mark = link.querySelector(".dot").getBoundingClientRect();
    const around = frames.getBoundingClientRect();
    const left = mark.left + mark.width / 2 - around.left - tip.offsetWidth / 2;
    const above = mark.top - around.top - tip.offsetHeight - 12;
    tip.style.left = `${Math.min(Math.max(left, 0), around.width - tip.offsetWidth)}px`;
    tip.style.top = `${above < 0 ? mark.bottom - around.top + 12 : above}px`;
  }
}

// Where a mark is in its picture: scatters move whole links, forests have their marks at a place of their own.
function place(link) {
  const dot = link.querySelector(".dot");
  const { e, f } = link.transform.baseVal.consolidate()?.matrix ?? { e: 0, f: 0 };
  return { x: e + dot.cx.baseVal.value, y: f + dot.cy.baseVal.value };
}
