"""Those who live in the pictures: fox, cat in a spacesuit, robot. Around (0, 0), about one unit tall or wide."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, Palette, darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Pair,
    Points,
    Shape,
    ellipse,
    many,
    one,
    pts,
    rect,
    ribbon,
    rounded,
    smooth,
)


def sleeping_fox(pal: Palette, rng: Rng) -> list[Shape]:
    fur, deep, cream, dark = rgb("e07a34"), rgb("a8481c"), rgb("fdf1df"), rgb("3a2019")
    back = smooth(
        [
            (-0.36, 0.2),
            (-0.42, 0.04),
            (-0.33, -0.13),
            (-0.12, -0.24),
            (0.12, -0.25),
            (0.33, -0.15),
            (0.45, 0.02),
            (0.44, 0.18),
            (0.3, 0.26),
            (-0.1, 0.27),
        ]
    )
    haunch = smooth([(0.08, 0.2), (0.1, 0.0), (0.22, -0.1), (0.36, -0.04), (0.41, 0.12), (0.3, 0.23)])
    tail = ribbon(
        [(0.4, 0.12), (0.44, 0.24), (0.3, 0.31), (0.08, 0.31), (-0.1, 0.28), (-0.2, 0.24)],
        [0.08, 0.15, 0.18, 0.17, 0.12, 0.03],
    )
    tip = ribbon([(0.03, 0.305), (-0.05, 0.295), (-0.14, 0.265), (-0.215, 0.235)], [0.165, 0.14, 0.09, 0.0])
    head = smooth(
        [
            (-0.25, -0.08),
            (-0.12, -0.07),
            (-0.07, 0.03),
            (-0.1, 0.12),
            (-0.2, 0.17),
            (-0.32, 0.205),
            (-0.43, 0.215),
            (-0.455, 0.18),
            (-0.41, 0.13),
            (-0.37, 0.03),
            (-0.33, -0.05),
        ]
    )
    cheek = smooth(
        [
            (-0.1, 0.09),
            (-0.17, 0.1),
            (-0.28, 0.16),
            (-0.42, 0.185),
            (-0.44, 0.215),
            (-0.32, 0.215),
            (-0.2, 0.18),
            (-0.11, 0.135),
        ]
    )
    ears = [
        smooth([(-0.34, -0.03), (-0.38, -0.2), (-0.355, -0.215), (-0.25, -0.07)], 5),
        smooth([(-0.2, -0.07), (-0.14, -0.23), (-0.115, -0.225), (-0.085, -0.01)], 5),
    ]
    inner = [
        smooth([(-0.325, -0.06), (-0.355, -0.17), (-0.28, -0.07)], 5),
        smooth([(-0.175, -0.06), (-0.135, -0.185), (-0.11, -0.03)], 5),
    ]
    lid = ribbon([(-0.315, 0.07), (-0.28, 0.09), (-0.235, 0.075)], [0.004, 0.015, 0.003])
    whisker = [
        ribbon([(-0.38, 0.17), (-0.42 + dx, 0.22 + dy), (-0.47 + dx, 0.26 + dy)], [0.003, 0.002, 0.001])
        for dx, dy in ((0.0, 0.0), (0.05, 0.01))
    ]
    tufts = [
        ribbon([(x, y), (x + 0.03, y + 0.03), (x + 0.05, y + 0.07)], [0.002, 0.012, 0.001])
        for x, y in zip(np.linspace(-0.1, 0.32, 9), -0.17 + 0.06 * np.abs(np.sin(np.arange(9))), strict=True)
    ]
    return [
        one(ellipse(0, 0.3, 0.5, 0.06), (0.05, 0.05, 0.08), alpha=0.4, soft=0.03, detail=True),
        one(back, fur, deep, volume=1.0, grain=0.1),
        many(tufts, deep, alpha=0.4, detail=True),
        one(haunch, lighter(fur, 0.06), deep, volume=0.8, grain=0.1),
        one(tail, lighter(fur, 0.05), deep, volume=1.1, grain=0.12),
        one(tip, cream, darker(cream, 0.12), volume=0.5, grain=0.08),
        many(ears, dark, fur),
        many(inner, rgb("c98a6a")),
        one(head, lighter(fur, 0.08), fur, volume=0.9, grain=0.08),
        one(cheek, cream, darker(cream, 0.1)),
        one(ellipse(-0.445, 0.187, 0.026, 0.02), dark, volume=0.9),
        one(lid, dark),
        many(whisker, dark, alpha=0.6, detail=True),
    ]


def cat_astronaut(pal: Palette, rng: Rng) -> list[Shape]:
    suit, shade, trim = rgb("eef0f5"), rgb("8d93b0"), pal.accent
    fur, stripe = rgb("e9a35b"), rgb("a8622c")
    arm1 = ribbon([(-0.17, -0.04), (-0.33, 0.02), (-0.4, -0.14), (-0.43, -0.22)], [0.13, 0.13, 0.1, 0.09])
    arm2 = ribbon([(0.17, -0.02), (0.31, 0.1), (0.4, 0.2)], [0.13, 0.12, 0.1])
    leg1 = ribbon([(-0.09, 0.24), (-0.15, 0.37), (-0.11, 0.5)], [0.15, 0.14, 0.12])
    leg2 = ribbon([(0.1, 0.24), (0.2, 0.34), (0.2, 0.47)], [0.15, 0.14, 0.12])
    torso = smooth([(-0.2, -0.08), (0.2, -0.08), (0.23, 0.1), (0.19, 0.28), (0, 0.33), (-0.19, 0.28), (-0.23, 0.1)])
    tail = ribbon([(0.17, 0.25), (0.36, 0.3), (0.42, 0.42), (0.36, 0.5)], [0.06, 0.06, 0.055, 0.03])
    pack = rounded(-0.27, -0.08, 0.27, 0.22, 0.06)
    cord = ribbon([(0.22, 0.16), (0.5, 0.3), (0.42, 0.6), (0.75, 0.72), (0.95, 0.62)], 0.016)
    bands = [
        ribbon([(-0.395, -0.08), (-0.345, -0.12)], 0.03),
        ribbon([(0.285, 0.16), (0.35, 0.09)], 0.03),
        rect(-0.21, 0.36, -0.06, 0.39),
        rect(0.12, 0.36, 0.28, 0.39),
    ]
    shapes = [
        one(cord, mix(suit, shade, 0.4), volume=0.6),
        one(pack, mix(suit, shade, 0.6), darker(shade, 0.3), volume=0.8),
        one(tail, fur, stripe, volume=0.9),
        many([leg1, leg2], suit, shade, volume=1.1),
        many(
            [ellipse(-0.1, 0.5, 0.085, 0.055), ellipse(0.21, 0.48, 0.085, 0.055)],
            mix(shade, trim, 0.5),
            darker(shade, 0.4),
            volume=1.0,
        ),
        many([arm1, arm2], suit, shade, volume=1.1),
        many(
            [ellipse(-0.43, -0.25, 0.055, 0.06), ellipse(0.42, 0.22, 0.06, 0.055)], trim, darker(trim, 0.4), volume=1.0
        ),
        many(bands, trim, darker(trim, 0.2)),
        one(torso, suit, shade, volume=1.1),
        one(rounded(-0.11, 0.06, 0.11, 0.2, 0.02), mix(shade, suit, 0.3), shade, volume=0.5),
        many([ellipse(-0.065, 0.1, 0.016), ellipse(-0.015, 0.1, 0.016)], pal.accent2, light=0.8),
        many([rect(-0.08, 0.145, 0.08, 0.155), rect(-0.08, 0.17, 0.03, 0.18)], darker(shade, 0.5), detail=True),
        one(ellipse(0.07, 0.1, 0.018), pal.accent, light=0.8),
        one(ellipse(0, -0.075, 0.185, 0.05), shade, darker(shade, 0.4), volume=0.6),
        one(ellipse(0, -0.28, 0.275, 0.26), suit, shade, volume=1.0),
        one(ellipse(0, -0.28, 0.235, 0.222), rgb("12183a"), rgb("2f2a66")),
    ]
    white = (1.0, 1.0, 1.0)
    reflection = smooth([(-0.19, -0.36), (-0.13, -0.45), (-0.02, -0.485), (-0.11, -0.42), (-0.16, -0.33)])
    return [
        *shapes,
        *_cat_face(0.0, -0.255, 0.185, fur, stripe),
        one(reflection, white, alpha=0.5, detail=True),
        one(ellipse(0.14, -0.15, 0.03, 0.018, -0.6), white, alpha=0.3, detail=True),
    ]


def _cat_face(x: float, y: float, r: float, fur: Colour, stripe: Colour) -> list[Shape]:
    def at(points: Points) -> Points:
        return points * r + (x, y)

    face = smooth(
        [(-0.72, -0.42), (0, -0.62), (0.72, -0.42), (0.95, 0.12), (0.62, 0.58), (0, 0.76), (-0.62, 0.58), (-0.95, 0.12)]
    )
    ears = [
        smooth([(-0.8, -0.3), (-0.82, -1.0), (-0.72, -1.02), (-0.22, -0.56)], 6),
        smooth([(0.8, -0.3), (0.82, -1.0), (0.72, -1.02), (0.22, -0.56)], 6),
    ]
    pink = [
        smooth([(-0.7, -0.45), (-0.72, -0.85), (-0.4, -0.58)], 6),
        smooth([(0.7, -0.45), (0.72, -0.85), (0.4, -0.58)], 6),
    ]
    marks = [ribbon([(v, -0.56), (v * 0.8, -0.3)], [0.1, 0.02]) for v in (-0.24, 0.0, 0.24)]
    marks += [ribbon([(s * 0.92, v), (s * 0.6, v + 0.05)], [0.1, 0.01]) for s in (-1, 1) for v in (0.08, 0.3)]
    muzzle = [ellipse(-0.2, 0.38, 0.26, 0.2), ellipse(0.2, 0.38, 0.26, 0.2)]
    whiskers = [
        ribbon([(s * 0.3, 0.36 + v), (s * 0.7, 0.3 + v * 1.6), (s * 1.02, 0.3 + v * 2.4)], [0.025, 0.02, 0.006])
        for s in (-1, 1)
        for v in (-0.05, 0.04)
    ]
    return [
        many([at(p) for p in ears], fur, stripe, volume=0.5),
        many([at(p) for p in pink], rgb("e89a92")),
        one(at(face), lighter(fur, 0.12), fur, volume=0.9, grain=0.06),
        many([at(p) for p in marks], stripe),
        many([at(p) for p in muzzle], rgb("fff3e2"), rgb("f0d9bd"), volume=0.4),
        many([at(ellipse(s * 0.4, -0.02, 0.23, 0.25)) for s in (-1, 1)], rgb("c9e86a"), rgb("6fae4a"), volume=0.5),
        many([at(ellipse(s * 0.4, -0.01, 0.11, 0.2)) for s in (-1, 1)], rgb("141018")),
        many([at(ellipse(s * 0.4 - 0.07, -0.1, 0.06)) for s in (-1, 1)], (1.0, 1.0, 1.0)),
        one(at(smooth([(-0.11, 0.2), (0.11, 0.2), (0, 0.33)], 6)), rgb("d9736d")),
        one(at(ribbon([(-0.17, 0.43), (-0.08, 0.47), (0, 0.4), (0.08, 0.47), (0.17, 0.43)], 0.04)), rgb("6b3a2a")),
        many([at(p) for p in whiskers], (1.0, 1.0, 1.0), alpha=0.75, detail=True),
    ]


def robot(pal: Palette, rng: Rng, gardener: bool = True) -> list[Shape]:
    """A riveted fellow with lamp eyes – and, when there are flowers about, a watering can."""
    shell, shade, dark = rgb("e8dcc3"), rgb("a48a6b"), rgb("3a3a48")
    joint, trim = rgb("6f7686"), pal.accent
    arm1 = ribbon([(-0.2, -0.06), (-0.34, 0.06), (-0.32, 0.2)], 0.06)
    arm2 = ribbon([(0.2, -0.06), (0.35, 0.0), (0.42, -0.06)], 0.06)
    shapes = [
        one(ellipse(0, 0.5, 0.3, 0.035), (0.03, 0.03, 0.06), alpha=0.4, soft=0.02, detail=True),
        many([rect(-0.13, 0.24, -0.05, 0.44), rect(0.05, 0.24, 0.13, 0.44)], joint, darker(joint, 0.4), volume=0.7),
        many(
            [rounded(-0.18, 0.42, -0.02, 0.5, 0.035), rounded(0.02, 0.42, 0.18, 0.5, 0.035)], shell, shade, volume=1.0
        ),
        many([arm1, arm2], joint, darker(joint, 0.3), volume=0.8),
        one(rounded(-0.22, -0.12, 0.22, 0.27, 0.07), shell, shade, volume=1.1, grain=0.05),
        one(rounded(-0.13, -0.03, 0.13, 0.12, 0.025), dark, rgb("23232e")),
        many(
            [
                rect(-0.1 + k * 0.045, 0.08 - v, -0.07 + k * 0.045, 0.1)
                for k, v in enumerate((0.03, 0.07, 0.05, 0.09, 0.04))
            ],
            pal.accent2,
            light=0.8,
        ),
        many(
            [ellipse(x, y, 0.011, n=12) for x in (-0.18, 0.18) for y in (-0.08, 0.23)], shade, volume=0.8, detail=True
        ),
        one(rect(-0.18, 0.17, 0.18, 0.205), trim, darker(trim, 0.2)),
        one(rect(-0.05, -0.18, 0.05, -0.1), joint, darker(joint, 0.3)),
        one(rounded(-0.25, -0.47, 0.25, -0.16, 0.11), shell, shade, volume=1.1, grain=0.05),
        one(rounded(-0.19, -0.4, 0.19, -0.23, 0.08), dark, rgb("1c1c26"), volume=0.3),
        many(
            [ellipse(-0.09, -0.315, 0.046), ellipse(0.09, -0.315, 0.046)],
            pal.accent2,
            lighter(pal.accent2, 0.4),
            light=1.0,
        ),
        many([ellipse(-0.105, -0.33, 0.013), ellipse(0.075, -0.33, 0.013)], (1.0, 1.0, 1.0)),
        many(
            [rounded(-0.285, -0.37, -0.245, -0.26, 0.015), rounded(0.245, -0.37, 0.285, -0.26, 0.015)],
            trim,
            darker(trim, 0.3),
            volume=0.8,
        ),
        one(ribbon([(0, -0.47), (0.01, -0.53), (0.03, -0.56)], 0.012), joint),
        one(ellipse(0.035, -0.575, 0.024), trim, light=0.9),
        one(ellipse(-0.32, 0.22, 0.04), joint, darker(joint, 0.4), volume=0.9),
    ]
    if gardener:
        can = pal.accent2 if not pal.dark else rgb("3fa7a0")
        spout = pts((0.55, -0.03), (0.7, -0.16), (0.72, -0.13), (0.56, 0.04))
        handle = ribbon([(0.44, -0.06), (0.41, -0.15), (0.5, -0.16), (0.55, -0.08)], 0.018)
        drops = [
            ellipse(0.73 + 0.02 * k + 0.012 * np.sin(k * 2.3), -0.1 + 0.045 * k, 0.007, 0.013, n=12) for k in range(8)
        ]
        shapes += [
            one(handle, darker(can, 0.3)),
            one(spout, can, darker(can, 0.3), volume=0.5),
            one(rounded(0.41, -0.08, 0.58, 0.09, 0.025), lighter(can, 0.15), darker(can, 0.3), volume=1.0),
            many(drops, rgb("bfeaf5"), light=0.3, detail=True),
        ]
    return [*shapes, one(ellipse(0.43, -0.06, 0.04), joint, darker(joint, 0.4), volume=0.9)]


def gull(x: float, y: float, s: float) -> Points:
    wings: list[Pair] = [
        (x - s, y - s * 0.45),
        (x - s * 0.45, y - s * 0.5),
        (x, y),
        (x + s * 0.45, y - s * 0.55),
        (x + s, y - s * 0.35),
    ]
    return ribbon(wings, [0.002, s * 0.22, s * 0.2, s * 0.22, 0.002])
