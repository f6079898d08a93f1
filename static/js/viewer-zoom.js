// Zoom and place of all panes together: wheel, pinch, drag, double tap. What is seen is the same part of every image.
const MAX_SCALE = 16;
const between = (low, value, high) => Math.min(Math.max(value, low), high);

/** `say` is called with the level in per cent of image pixels. Returns fit, actual, scale and measure. */
export function linkedZoom(stage, say) {
  let at = { x: 0, y: 0, k: 1 }; // k times the fitting size, the centre moved by x and y fitting widths and heights
  let sizes = [];
  const actual = () => (sizes[0] ? sizes[0].natural / sizes[0].width / devicePixelRatio : 1);
  const most = () => Math.max(MAX_SCALE, actual());

  function measure() {
    sizes = [...stage.children].map((figure) => {
      const { clientWidth: boxWidth, clientHeight: boxHeight } = figure;
      const ratio = Number(figure.dataset.ratio) || 1;
      const width = Math.min(boxWidth, boxHeight * ratio);
      const natural = figure.querySelector("img").naturalWidth || Math.max(1, Math.round(1024 * Math.min(1, ratio)));
      return { figure, boxWidth, boxHeight, width, height: width / ratio, natural };
    });
    draw();
  }

  function draw() {
    const first = sizes[0];
    if (!first?.width) return;
    at.k = between(1, at.k, most());
    const free = (box, size) => Math.max(0, (at.k - box / size) / 2); // the images never leave their boxes
    at.x = between(-free(first.boxWidth, first.width), at.x, free(first.boxWidth, first.width));
    at.y = between(-free(first.boxHeight, first.height), at.y, free(first.boxHeight, first.height));
    for (const { figure, boxWidth, boxHeight, width, height } of sizes) {
      const [layer, map] = figure.children;
      layer.style.width = `${width}px`;
      layer.style.height = `${height}px`;
      layer.style.transform = `translate(-50%, -50%) translate(${at.x * width}px, ${at.y * height}px) scale(${at.k})`;
      const seenX = Math.min(1, boxWidth / width / at.k), seenY = Math.min(1, boxHeight / height / at.k);
      const frame = map.lastElementChild.style;
      map.hidden = seenX >= 1 && seenY >= 1;
      frame.width = `${seenX * 100}%`;
      frame.height = `${seenY * 100}%`;
      frame.left = `${between(0, 0.5 - at.x / at.k - seenX / 2, 1 - seenX) * 100}%`;
      frame.top = `${between(0, 0.5 - at.y / at.k - seenY / 2, 1 - seenY) * 100}%`;
    }
    stage.classList.toggle("is-close", at.k >= 2 * actual());
    say(`${Math.round((at.k / actual()) * 100)} %`);
  }

  /** Where a point of the screen lies from the middle of its pane, in fitting widths and heights. */
  function fromCentre({ clientX, clientY }) {
    const panes = sizes.map((size) => ({ size, box: size.figure.getBoundingClientRect() }));
    const { size, box } = panes.find(({ box: each }) => clientX >= each.left && clientX <= each.right && clientY >= each.top && clientY <= each.bottom) ?? panes[0];
    return [(clientX - box.left - box.width / 2) / size.width, (clientY - box.top - box.height / 2) / size.height];
  }

  function scale(factor, point) {
    const before = at.k;
    at.k = between(1, at.k * factor, most());
    const [dx, dy] = point ? fromCentre(point) : [0, 0];
    at.x = dx - (dx - at.x) * (at.k / before);
    at.y = dy - (dy - at.y) * (at.k / before);
    draw();
  }

  function move(dx, dy) {
    if (!sizes[0]) return;
    at.x += dx / sizes[0].width;
    at.y += dy / sizes[0].height;
    draw();
  }

  const pointers = new Map();
  let gesture = null, tap = null;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    scale(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    gesture = pointers.size === 1 ? event : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
    pointers.set(event.pointerId, event);
    if (!other) return move(event.clientX - before.clientX, event.clientY - before.clientY);
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    move((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
    scale(apart(event) / apart(before), { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 });
  });
  function release(event) {
    if (!pointers.delete(event.pointerId) || event.type === "pointercancel" || !gesture) return;
    const dx = event.clientX - gesture.clientX, dy = event.clientY - gesture.clientY;
    const isTap = Math.hypot(dx, dy) < 10;
    const isSwipe = at.k <= 1.01 && Math.abs(dx) > 40 && Math.abs(dx) > 2 * Math.abs(dy);
    const isDouble = isTap && tap && event.timeStamp - tap.timeStamp < 350;
    if (isDouble) scale(at.k > 1.01 ? 1 / at.k : Math.max(2, actual()) / at.k, event);
    else if (isTap || isSwipe) stage.dispatchEvent(new Event("viewer:tap"));
    tap = isTap && !isDouble ? event : null;
    gesture = null;
  }
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("load", measure, true);
  new ResizeObserver(measure).observe(stage);

  return { measure, scale, fit: () => { at = { x: 0, y: 0, k: 1 }; draw(); }, actual: () => scale(actual() / at.k) };
}
