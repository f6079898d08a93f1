// Runs before the first paint: styles that need JavaScript apply only where it runs.
document.documentElement.classList.add("js");
