// Before the first paint: where two images would be too small side by side or stacked, voters see one at a time. The
// choice is theirs ("pairs" in this browser's storage); without one it follows from the screen. battle.css does the rest.
(() => {
  const root = document.documentElement;
  const SMALLEST = { square: 834, wide: 680 }; // px of height from which both images of a phone are 280 px wide
  let width = 0;
  const choose = () => {
    let choice = "";
    try { choice = localStorage.getItem("pairs") ?? ""; } catch { /* then the screen decides */ }
    const isPhone = innerWidth <= 600;
    for (const fit of ["tall", "edit", "square", "wide"]) {
      const isSmall = fit === "tall" || (isPhone && (fit === "edit" || innerHeight < SMALLEST[fit]));
      root.classList.toggle(`one-${fit}`, choice ? choice === "one" : isSmall);
    }
  };
  choose();
  addEventListener("pairs", choose);
  // Not while a browser's bars come and go: an arrangement that changes under the eyes is worse than a small image.
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; choose(); } });
})();
