// Runs before the first paint: styles that need JavaScript apply only where it runs, and no page flashes in other colours
// than the reader chose. The choice is not the server's business: pages are the same for everybody, so caches keep them.
document.documentElement.classList.add("js");
const chosen = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/);
if (chosen) document.documentElement.classList.add(chosen[1]);
