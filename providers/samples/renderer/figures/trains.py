"""A steam train on its viaduct."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Palette, darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Shape, ellipse, many, one, pts, rect, rounded, smooth


def train(pal: Palette, rng: Rng, width: float) -> list[Shape]:
    """A steam train on a viaduct that spans `width` to both sides of (0, 0), the rails at y = 0."""
    stone, coach, brass = lighter(mix(pal.mid, pal.far, 0.7), 0.16), mix(pal.accent, rgb("7a1f2b"), 0.45), rgb("e0b055")
    shapes: list[Shape] = []
    deck = [rect(-width, 0.0, width, 0.05)]
    span = 0.24
    for x in np.arange(-width, width + span, span):
        arch = ellipse(0, 0, span * 0.4, span * 0.46, n=40)
        arch = arch[arch[:, 1] <= 1e-9] + (x + span / 2, 0.2)
        deck.append(
            np.concatenate(
                [
                    pts((x, 0.04), (x + span, 0.04), (x + span, 1.2), (x + span * 0.9, 1.2)),
                    arch[np.argsort(-arch[:, 0])],
                    pts((x + span * 0.1, 1.2), (x, 1.2)),
                ]
            )
        )
    shapes.append(many(deck, lighter(stone, 0.12), darker(stone, 0.35), grain=0.16))
    shapes.append(one(rect(-width, -0.012, width, 0.004), lighter(stone, 0.3)))
    for k in range(4):
        x = -0.26 - k * 0.33
        shapes.append(
            one(
                rounded(x - 0.155, -0.145, x + 0.155, -0.025, 0.02), lighter(coach, 0.1), darker(coach, 0.3), volume=0.6
            )
        )
        shapes.append(one(rounded(x - 0.16, -0.158, x + 0.16, -0.135, 0.012), darker(coach, 0.6)))
        shapes.append(
            many(
                [rounded(x - 0.135 + i * 0.055, -0.122, x - 0.098 + i * 0.055, -0.078, 0.006) for i in range(5)],
                rgb("ffdf93"),
                light=0.9,
            )
        )
        shapes.append(one(rect(x - 0.155, -0.062, x + 0.155, -0.055), brass))
        shapes.append(many([ellipse(x + d, -0.02, 0.02) for d in (-0.11, -0.06, 0.06, 0.11)], darker(pal.near, 0.2)))
    iron = rgb("2a3140")
    shapes += [
        one(rounded(-0.08, -0.2, 0.06, -0.03, 0.012), coach, darker(coach, 0.35), volume=0.5),
        one(rounded(-0.055, -0.165, 0.03, -0.105, 0.01), rgb("ffdf93"), light=0.9),
        one(rounded(-0.1, -0.215, 0.08, -0.19, 0.012), iron),
        one(rounded(0.04, -0.145, 0.34, -0.035, 0.05), lighter(iron, 0.22), darker(iron, 0.3), volume=1.1),
        many([rect(x, -0.145, x + 0.009, -0.035) for x in (0.11, 0.19, 0.27)], brass),
        one(pts((0.25, -0.14), (0.3, -0.14), (0.315, -0.22), (0.235, -0.22)), iron, volume=0.6),
        one(
            smooth([(0.13, -0.14), (0.135, -0.17), (0.16, -0.18), (0.185, -0.17), (0.19, -0.14)], 5), brass, volume=0.9
        ),
        many([ellipse(x, -0.025, 0.035) for x in (0.02, 0.1, 0.18)], mix(coach, iron, 0.3), volume=0.5),
        many([ellipse(x, -0.025, 0.013) for x in (0.02, 0.1, 0.18)], brass),
        one(rect(0.02, -0.03, 0.18, -0.02), lighter(iron, 0.4)),
        one(pts((0.32, -0.05), (0.4, 0.0), (0.3, 0.0)), iron),
        one(ellipse(0.345, -0.1, 0.018), rgb("fff3c4"), light=1.0),
        one(
            pts((0.35, -0.11), (1.3, -0.24), (1.3, 0.06), (0.35, -0.09)),
            rgb("fff0be"),
            alpha=0.3,
            soft=0.015,
            light=0.35,
            detail=True,
        ),
    ]
    for k in range(9):
        r = 0.03 + 0.014 * k
        smoke = mix((0.98, 0.95, 0.94), pal.sky[1], 0.18 + 0.05 * k)
        shapes.append(
            one(
                ellipse(0.265 - k * 0.1 + rng.normal(0, 0.01), -0.27 - 0.018 * k - 0.02 * np.sin(k), r * 1.25, r),
                smoke,
                mix(smoke, pal.mid, 0.35),
                alpha=0.88 - k * 0.05,
                soft=0.004,
                volume=0.6,
            )
        )
    return shapes
