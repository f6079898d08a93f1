// Enlarge: a tap on an image, or Z, opens all images of the battle side by side. Without it the link opens the image.
const zoom = document.getElementById("zoom");
const images = zoom.querySelector(".zoom-images");

function figureOf(link) {
  const figure = document.createElement("figure");
  const image = new Image();
  image.src = link.href;
  image.alt = link.querySelector("img").alt;
  const letter = document.createElement("figcaption");
  letter.className = "letter";
  letter.textContent = link.dataset.zoom;
  figure.append(image, letter);
  return figure;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#battle [data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const battle = link.closest("#battle");
  if (battle.dataset.state === "open" && !battle.querySelector(".is-shown")) return;
  images.replaceChildren(...Array.from(battle.querySelectorAll("[data-zoom]"), figureOf));
  zoom.showModal();
});

zoom.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z") return;
  event.preventDefault(); // or the page would open it again
  zoom.close();
});
zoom.addEventListener("click", (event) => {
  if (!event.target.closest("img, button")) zoom.close();
});
