"""Where the words go: menu, advertisement, book cover, stamp, sign, diagram, poster."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, darker, lighter, luma, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.shapes import (
    Layer,
    Points,
    Scene,
    Shape,
    Slot,
    ellipse,
    one,
    rect,
    rounded,
    star,
    with_hole,
)

CHALK = rgb("f3f1e8")


def place_words(scene: Scene, brief: Brief, setting: str, rng: Rng) -> None:
    if brief.about("stamp"):
        _stamp(scene, brief)
    elif setting == "cafe":
        _menu(scene, brief)
    elif setting == "page":
        _diagram(scene, brief)
    elif not brief.quotes:
        return
    elif setting == "city" or brief.about("sign"):
        _sign(scene, brief)
    elif brief.about("book", "cover", "novel"):
        _book(scene, brief)
    else:
        _poster(scene, brief)
    if brief.price and not brief.about("stamp") and setting != "cafe":
        _starburst(scene, brief.price)


def _over(scene: Scene, background: Colour) -> Colour:
    """A colour that can be read on this background and belongs to the palette."""
    pal = scene.palette
    return lighter(mix(pal.light, pal.sky[2], 0.15), 0.35) if luma(background) < 0.52 else darker(pal.near, 0.25)


def _poster(scene: Scene, brief: Brief) -> None:
    w, h = scene.frame.w, scene.frame.h
    title, *rest = brief.phrases or ("",)
    colour = _over(scene, mix(scene.palette.sky[0], scene.palette.sky[1], 0.4))
    if title:
        scene.slots.append(Slot(title, (w * 0.07, h * 0.05, w * 0.93, h * 0.265), "title", colour))
    _lines_below(scene, rest, brief.price is not None)


def _lines_below(scene: Scene, lines: list[str], price: bool) -> None:
    if not lines:
        return
    w, h = scene.frame.w, scene.frame.h
    pitch = 0.078 if len(lines) == 1 else 0.062
    tall = pitch * min(3, len(lines))
    scene.layers.append(
        Layer(
            1.0,
            [
                one(
                    rect(-0.2, h * 0.97 - tall, w + 0.2, h + 0.2),
                    darker(scene.palette.near, 0.5),
                    alpha=0.78,
                    soft=0.05,
                    detail=True,
                )
            ],
        )
    )
    right = w * (0.66 if price else 0.93)
    for k, text in enumerate(lines[:3]):
        y = h * 0.965 - tall + pitch * k
        kind, colour = (
            ("line", lighter(scene.palette.accent2, 0.35)) if k == 0 else ("small", lighter(scene.palette.light, 0.4))
        )
        scene.slots.append(
            Slot(text, (w * 0.07, y, right, y + pitch * 0.86), kind, colour, "left" if price else "center")
        )


def _starburst(scene: Scene, price: str) -> None:
    w, h = scene.frame.w, scene.frame.h
    x, y, r = w * 0.82, h * 0.8, 0.135
    pal = scene.palette
    shapes = [
        one(star(x, y, r * 1.08, r * 0.84, 18, 0.1), darker(pal.accent, 0.35), darker(pal.accent, 0.5)),
        one(
            star(x, y, r, r * 0.78, 18),
            lighter(pal.accent2, 0.2),
            mix(pal.accent2, pal.accent, 0.55),
            light=0.35,
            volume=0.4,
        ),
    ]
    scene.layers.append(Layer(1.0, shapes))
    scene.slots.append(
        Slot(
            price,
            (x - r * 0.68, y - r * 0.42, x + r * 0.68, y + r * 0.42),
            "price",
            darker(mix(pal.near, pal.accent, 0.25), 0.25),
        )
    )


def _book(scene: Scene, brief: Brief) -> None:
    w, h = scene.frame.w, scene.frame.h
    title, *rest = brief.phrases or ("",)
    author = rest[0] if rest else ""
    pal = scene.palette
    spine: list[Shape] = [
        one(rect(-0.05, -0.1, w * 0.03, h + 0.1), darker(pal.near, 0.4), alpha=0.35, soft=0.008, detail=True),
        one(rect(-0.1, -0.2, w + 0.2, h * 0.2), darker(pal.sky[0], 0.25), alpha=0.6, soft=0.1, detail=True),
    ]
    border = with_hole(
        rect(w * 0.05, w * 0.05, w * 0.95, h - w * 0.05), rect(w * 0.056, w * 0.056, w * 0.944, h - w * 0.056)
    )
    colour = _over(scene, darker(pal.sky[0], 0.3))
    spine.append(one(border, colour, alpha=0.8, detail=True))
    scene.layers.append(Layer(1.0, spine))
    scene.slots.append(Slot(title, (w * 0.11, h * 0.085, w * 0.89, h * 0.34), "title", colour))
    if author:
        scene.layers.append(
            Layer(
                1.0,
                [
                    one(
                        rect(-0.1, h * 0.88, w + 0.1, h + 0.2),
                        darker(pal.near, 0.55),
                        alpha=0.9,
                        soft=0.03,
                        detail=True,
                    )
                ],
            )
        )
        scene.layers[-2], scene.layers[-1] = scene.layers[-1], scene.layers[-2]
        scene.slots.append(Slot(author, (w * 0.16, h * 0.905, w * 0.84, h * 0.942), "line", lighter(pal.accent2, 0.5)))
    for text in rest[1:2]:
        scene.slots.append(Slot(text, (w * 0.16, h * 0.35, w * 0.84, h * 0.38), "small", colour))


def _stamp(scene: Scene, brief: Brief) -> None:
    """A white perforated margin around the picture, on an envelope."""
    w, h = scene.frame.w, scene.frame.h
    m, tooth = 0.075, 0.016
    outline = _perforated(m, m, w - m, h - m, tooth)
    paper = rgb("fbf6e8")
    window = rect(m + 0.055, m + 0.055, w - m - 0.055, h - m - 0.055)
    band = rect(-0.1, -0.1, w + 0.1, h + 0.1)
    scene.layers.append(
        Layer(
            1.0,
            [
                one(with_hole(band, outline), rgb("c9a778"), rgb("b08a58"), grain=0.08),
                one(with_hole(outline, window), paper, darker(paper, 0.04)),
            ],
        )
    )
    colour = _over(scene, mix(scene.palette.sky[0], scene.palette.sky[1], 0.3))
    title, *rest = brief.phrases or ("",)
    if title:
        scene.slots.append(Slot(title, (m + 0.09, m + 0.085, w - m - 0.09, m + 0.2), "title", colour))
    if brief.price:
        x, y = w - m - 0.15, h - m - 0.13
        scene.layers.append(
            Layer(
                1.0,
                [
                    one(
                        rounded(x - 0.12, y - 0.045, x + 0.075, y + 0.052, 0.02),
                        darker(scene.palette.near, 0.2),
                        alpha=0.9,
                    )
                ],
            )
        )
        scene.slots.append(
            Slot(brief.price, (x - 0.105, y - 0.035, x + 0.06, y + 0.04), "price", lighter(scene.palette.accent2, 0.4))
        )
    if rest:
        scene.slots.append(
            Slot(
                rest[0],
                (m + 0.09, h - m - 0.14, w * 0.6, h - m - 0.085),
                "line",
                lighter(scene.palette.light, 0.4),
                "left",
            )
        )


def _perforated(x0: float, y0: float, x1: float, y1: float, r: float) -> Points:
    edges: list[Points] = []
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = float(np.hypot(bx - ax, by - ay))
        dx, dy = (bx - ax) / length, (by - ay) / length
        n = round(length / (r * 2.6))
        for k in range(n):
            centre = (k + 0.5) / n * length
            t = np.linspace(np.pi, 0, 9)
            along, inward = centre + np.cos(t) * r, np.sin(t) * r
            edges.append(np.stack([ax + dx * along - dy * inward, ay + dy * along + dx * inward], axis=1))
    return np.concatenate(edges)


def _menu(scene: Scene, brief: Brief) -> None:
    w, h = scene.frame.w, scene.frame.h
    x0, y0, x1, y1 = w * 0.115, h * 0.125, w * 0.885, h * 0.835
    quotes = list(brief.quotes)
    kind = "hand"
    if not quotes:
        quotes = ["Today"]
    title, items = quotes[0], quotes[1:]
    foot = items.pop() if len(items) > 2 else None
    split = y0 + (y1 - y0) * 0.3
    scene.slots.append(Slot(title, (x0, y0, x1, split - 0.03), f"{kind}-title", rgb("fbe9c0")))
    rule = [one(rect(x0 + 0.12 * w, split, x1 - 0.12 * w, split + 0.004), CHALK, alpha=0.75, detail=True)]
    rule.append(one(star(w / 2, split + 0.002, 0.018, 0.006, 4), CHALK, alpha=0.85, detail=True))
    low = y1 - (0.1 if foot else 0.0) * h
    step = (low - split - 0.02) / max(1, len(items))
    for k, item in enumerate(items):
        top = split + 0.035 + step * k
        scene.slots.append(Slot(item, (x0, top, x1, top + step * 0.74), f"{kind}-item", CHALK))
    if foot:
        rule.append(one(rect(x0 + 0.2 * w, low + 0.012, x1 - 0.2 * w, low + 0.015), CHALK, alpha=0.55, detail=True))
        scene.slots.append(Slot(foot, (x0, low + 0.03, x1, y1 + 0.005), f"{kind}-small", rgb("d5e6dc")))
    scene.layers.append(Layer(0.9, rule))


def _diagram(scene: Scene, brief: Brief) -> None:
    w, h = scene.frame.w, scene.frame.h
    title, *labels = brief.phrases or ("",)
    if title:
        scene.slots.append(
            Slot(title, (w * 0.06, h * 0.05, w * 0.94, h * 0.185), "title", lighter(scene.palette.sky[0], 0.4))
        )
    count = max(3, min(4, len(labels)))
    step = (w - 0.1) / count
    for k, label in enumerate(labels[:4]):
        x = 0.05 + (k + 0.5) * step
        scene.slots.append(
            Slot(label, (x - step * 0.44, h * 0.525, x + step * 0.44, h * 0.575), "label", scene.palette.near)
        )


def _sign(scene: Scene, brief: Brief) -> None:
    """A sign over the street: the tubes are the letters."""
    w, h = scene.frame.w, scene.frame.h
    title, *rest = brief.phrases or ("",)
    pal = scene.palette
    x0, x1, y0, y1 = w * 0.12, w * 0.88, h * 0.1, h * (0.4 if rest else 0.34)
    board = [
        one(rounded(x0, y0, x1, y1, 0.03), (0.06, 0.04, 0.1), (0.03, 0.02, 0.06), alpha=0.9, volume=0.2),
        one(
            with_hole(
                rounded(x0 + 0.016, y0 + 0.016, x1 - 0.016, y1 - 0.016, 0.024),
                rounded(x0 + 0.024, y0 + 0.024, x1 - 0.024, y1 - 0.024, 0.02),
            ),
            pal.accent2,
            light=1.0,
        ),
    ]
    for x in (w * 0.3, w * 0.7):
        board.insert(0, one(rect(x - 0.004, -0.1, x + 0.004, y0), (0.04, 0.03, 0.07)))
    scene.layers.append(Layer(0.92, board))
    low = y1 - (0.1 * h if rest else 0.035)
    scene.slots.append(Slot(title, (x0 + 0.05, y0 + 0.04, x1 - 0.05, low), "neon-title", lighter(pal.accent, 0.45)))
    if rest:
        scene.slots.append(
            Slot(rest[0], (x0 + 0.06, low + 0.012, x1 - 0.06, y1 - 0.045), "neon-line", lighter(pal.accent2, 0.4))
        )
    puddle = mix(pal.accent, pal.light, 0.3)
    scene.layers.append(
        Layer(
            0.75,
            [one(ellipse(w / 2, h * 0.86, w * 0.2, h * 0.12), puddle, alpha=0.25, soft=0.04, light=0.16, detail=True)],
        )
    )
