"""What stands, floats or steams in the pictures. Around (0, 0), about one unit tall or wide."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, Palette, darker, lighter, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Points,
    Shape,
    ellipse,
    many,
    moved,
    one,
    pts,
    rect,
    ribbon,
    rotated,
    rounded,
    smooth,
)


def coffee(pal: Palette, rng: Rng) -> list[Shape]:
    """A cup on its saucer, crema with a leaf drawn in it, steam."""
    cup = mix(pal.accent, rgb("b33a26"), 0.3)
    body = smooth(
        [
            (-0.29, -0.12),
            (-0.27, 0.08),
            (-0.17, 0.24),
            (0, 0.275),
            (0.17, 0.24),
            (0.27, 0.08),
            (0.29, -0.12),
            (0, -0.05),
        ],
        9,
    )
    handle = ribbon([(0.26, -0.06), (0.4, -0.07), (0.4, 0.1), (0.22, 0.14)], [0.06, 0.05, 0.05, 0.05])
    leaf = [
        ellipse(s * 0.06, -0.15 + k * 0.022, 0.05 - k * 0.008, 0.014, s * 0.35, n=18) for k in range(4) for s in (-1, 1)
    ]
    steam = [
        ribbon([(x, -0.26), (x + 0.05, -0.38), (x - 0.04, -0.5), (x + 0.03, -0.64)], [0.005, 0.05, 0.045, 0.005])
        for x in (-0.12, 0.0, 0.12)
    ]
    beans = []
    for x, y, t in ((-0.48, 0.3, 0.4), (-0.56, 0.22, 1.2), (0.52, 0.33, -0.5), (0.6, 0.24, 0.9), (0.44, 0.4, 0.1)):
        beans.append(one(ellipse(x, y, 0.045, 0.031, t), rgb("7a4524"), rgb("2f160a"), volume=1.1))
        beans.append(one(moved(rotated(ribbon([(-0.04, 0), (0, 0.008), (0.04, 0)], 0.007), t), x, y), rgb("1f0d05")))
    return [
        one(ellipse(0.05, 0.33, 0.52, 0.1), (0.05, 0.03, 0.04), alpha=0.45, soft=0.035, detail=True),
        one(ellipse(0, 0.275, 0.47, 0.115), darker(cup, 0.25), darker(cup, 0.5), volume=0.5),
        one(ellipse(0, 0.255, 0.47, 0.11), lighter(cup, 0.12), cup, volume=0.7),
        one(ellipse(0, 0.26, 0.28, 0.06), darker(cup, 0.25), darker(cup, 0.1)),
        one(handle, lighter(cup, 0.05), darker(cup, 0.35), volume=1.0),
        one(body, lighter(cup, 0.1), darker(cup, 0.4), volume=1.2),
        one(ellipse(0, -0.13, 0.295, 0.085), rgb("fff8ec"), rgb("dccfbc"), volume=0.4),
        one(ellipse(0, -0.125, 0.262, 0.07), rgb("5a2f16"), rgb("8a5226")),
        one(ellipse(0, -0.118, 0.25, 0.06), rgb("b9773a"), rgb("d49a55")),
        many([*leaf, ellipse(0, -0.07, 0.02, 0.012, n=14)], rgb("fbeed5")),
        many(steam, (1.0, 0.98, 0.95), alpha=0.34, soft=0.018, detail=True),
        *beans,
    ]


def lighthouse(pal: Palette, rng: Rng) -> list[Shape]:
    """A striped tower on its rock, its beam reaching left and right."""
    white, red = rgb("f7f2e6"), pal.accent
    beams = [pts((0, -0.43), (-1.9, -0.72), (-1.9, -0.38)), pts((0, -0.43), (1.9, -0.5), (1.9, -0.2))]
    rock = smooth(
        [
            (-0.5, 0.55),
            (-0.42, 0.3),
            (-0.3, 0.24),
            (-0.22, 0.17),
            (0.16, 0.16),
            (0.27, 0.23),
            (0.4, 0.26),
            (0.52, 0.4),
            (0.62, 0.6),
        ],
        4,
    )
    faces = [
        pts((-0.3, 0.24), (-0.22, 0.17), (-0.12, 0.3), (-0.26, 0.5)),
        pts((0.16, 0.16), (0.27, 0.23), (0.22, 0.45), (0.08, 0.32)),
        pts((0.4, 0.26), (0.5, 0.4), (0.42, 0.55), (0.33, 0.4)),
    ]

    def ring(a: float, b: float) -> Points:
        def half(y: float) -> float:
            return 0.075 + (y + 0.34) * 0.085

        return pts((-half(a), a), (half(a), a), (half(b), b), (-half(b), b))

    return [
        many(beams, pal.light, alpha=0.36, soft=0.02, light=0.4, detail=True),
        one(rock, lighter(mix(pal.near, pal.far, 0.35), 0.05), pal.near, volume=0.7, grain=0.25),
        many(faces, darker(pal.near, 0.2), alpha=0.5, detail=True),
        one(ring(-0.34, 0.2), white, darker(white, 0.18), volume=1.0),
        many([ring(-0.28, -0.18), ring(-0.06, 0.04), ring(0.14, 0.2)], red, darker(red, 0.15), volume=0.9),
        many([rounded(-0.014, y, 0.014, y + 0.04, 0.012) for y in (-0.15, 0.07)], rgb("ffdf8a"), light=0.7),
        one(rect(-0.105, -0.365, 0.105, -0.34), darker(red, 0.55)),
        many([rect(x, -0.4, x + 0.006, -0.36) for x in np.linspace(-0.1, 0.094, 8)], darker(red, 0.55), detail=True),
        one(rect(-0.052, -0.475, 0.052, -0.365), pal.light, lighter(pal.light, 0.5), light=1.0),
        many([rect(x, -0.475, x + 0.007, -0.365) for x in (-0.052, -0.02, 0.013, 0.045)], darker(red, 0.6)),
        one(
            smooth([(-0.075, -0.475), (-0.04, -0.53), (0, -0.56), (0.04, -0.53), (0.075, -0.475)], 5),
            red,
            darker(red, 0.4),
            volume=0.8,
        ),
        one(rect(-0.003, -0.6, 0.003, -0.55), darker(red, 0.6)),
    ]


def balloon(pal: Palette, rng: Rng, tint: Colour) -> list[Shape]:
    """A hot-air balloon: gores, scallops, basket."""
    outline = smooth(
        [
            (-0.075, 0.19),
            (-0.2, 0.06),
            (-0.3, -0.12),
            (-0.27, -0.32),
            (-0.14, -0.45),
            (0, -0.48),
            (0.14, -0.45),
            (0.27, -0.32),
            (0.3, -0.12),
            (0.2, 0.06),
            (0.075, 0.19),
        ],
        7,
    )
    gores = []
    for a, b in ((-0.62, -0.22), (0.22, 0.62), (-1.0, -0.86), (0.86, 1.0)):
        edge = [(-0.48, 0.0), (-0.38, 0.21), (-0.2, 0.295), (-0.04, 0.272), (0.1, 0.165), (0.19, 0.07)]
        gores.append(
            np.concatenate(
                [
                    smooth([(v * a, y) for y, v in edge], 6, closed=False),
                    smooth([(v * b, y) for y, v in edge], 6, closed=False)[::-1],
                ]
            )
        )
    ropes = [ribbon([(s * 0.07, 0.19), (s * 0.05, 0.33)], 0.005) for s in (-1, 1)] + [
        ribbon([(s * 0.03, 0.19), (s * 0.02, 0.33)], 0.004) for s in (-1, 1)
    ]
    second = mix(tint, rgb("fff3dc"), 0.85)
    return [
        many(ropes, rgb("4a3426"), detail=True),
        one(ellipse(0, 0.24, 0.03, 0.04), rgb("ffcf5c"), light=0.8, soft=0.008, detail=True),
        one(outline, lighter(tint, 0.1), darker(tint, 0.18), volume=1.3),
        many(gores, second, darker(second, 0.3), alpha=0.85, volume=0.5),
        one(ribbon([(-0.285, -0.05), (0, 0.0), (0.285, -0.05)], 0.05), tuned(tint, 1.1, 0.5), volume=0.5),
        one(rounded(-0.065, 0.33, 0.065, 0.43, 0.015), rgb("a8713d"), rgb("5f3a1b"), volume=0.8, grain=0.25),
        one(rect(-0.07, 0.325, 0.07, 0.345), rgb("6b4221")),
    ]


def kite(pal: Palette, rng: Rng) -> list[Shape]:
    red, teal = pal.accent, pal.accent2
    tail = ribbon([(0, 0.3), (0.09, 0.42), (-0.05, 0.55), (0.08, 0.7), (-0.02, 0.85)], 0.01)
    bows = [
        rotated(pts((-0.05, -0.026), (0, 0), (-0.05, 0.026), (0.05, 0.026), (0, 0), (0.05, -0.026)), t) + at
        for at, t in (((0.075, 0.43), 0.5), ((-0.04, 0.56), -0.5), ((0.07, 0.7), 0.4))
    ]
    line = ribbon([(0, -0.05), (-0.3, 0.5), (-0.75, 1.15)], 0.004)
    return [
        one(line, darker(pal.near, 0.1), detail=True),
        one(tail, darker(red, 0.3)),
        many(bows, teal, darker(teal, 0.2)),
        one(pts((0, -0.4), (-0.26, -0.08), (0, -0.08)), lighter(red, 0.1), red),
        one(pts((0, -0.4), (0.26, -0.08), (0, -0.08)), teal, darker(teal, 0.12)),
        one(pts((0, 0.3), (-0.26, -0.08), (0, -0.08)), rgb("fff1d6"), rgb("f2d6a2")),
        one(pts((0, 0.3), (0.26, -0.08), (0, -0.08)), darker(red, 0.1), darker(red, 0.25)),
        many([rect(-0.005, -0.4, 0.005, 0.3), rect(-0.26, -0.084, 0.26, -0.076)], darker(red, 0.55)),
    ]


def rowing_boat(pal: Palette, rng: Rng) -> list[Shape]:
    hull = smooth(
        [(-0.5, -0.1), (-0.4, 0.1), (-0.2, 0.16), (0.2, 0.16), (0.4, 0.1), (0.52, -0.12), (0.3, -0.04), (-0.3, -0.04)],
        6,
    )
    return [
        one(ellipse(0, 0.19, 0.55, 0.05), darker(pal.near, 0.3), alpha=0.5, soft=0.02, detail=True),
        one(ellipse(0, -0.05, 0.44, 0.06), rgb("4a2a18")),
        many([rect(-0.2, -0.08, -0.12, 0.0), rect(0.12, -0.08, 0.2, 0.0)], rgb("c98d55")),
        one(hull, pal.accent, darker(pal.accent, 0.5), volume=0.8),
        one(ribbon([(-0.5, -0.1), (-0.3, -0.02), (0, 0.0), (0.3, -0.02), (0.52, -0.12)], 0.035), rgb("fff0d8")),
        one(ribbon([(-0.05, -0.14), (0.35, 0.16)], 0.022), rgb("d9a566")),
        many(
            [rect(-0.5, 0.22, 0.3, 0.228), rect(-0.2, 0.27, 0.5, 0.277)],
            lighter(pal.sky[2], 0.4),
            alpha=0.6,
            detail=True,
        ),
    ]
