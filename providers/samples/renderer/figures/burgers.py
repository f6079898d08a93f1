"""A burger in parts, around (0, 0), about one unit tall."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Palette, darker, lighter, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Shape,
    ellipse,
    many,
    moved,
    one,
    placed,
    ribbon,
    rotated,
    smooth,
    with_hole,
)


def burger(pal: Palette, rng: Rng) -> list[Shape]:
    """Every part of it in mid-air, from the seeded lid down to the splash of sauce under the base."""
    shapes: list[Shape] = []

    def layer(parts: list[Shape], y: float, turn: float, dx: float = 0.0) -> None:
        shapes.extend(placed(parts, dx, y, 1.0, turn))

    layer(_base_bun(), 0.4, 0.03, 0.01)
    layer(_sauce(rng), 0.27, -0.04)
    layer(_patty(rng), 0.185, 0.05, -0.01)
    layer(_cheese(), 0.055, -0.05, 0.012)
    layer(_tomato(), -0.06, 0.06)
    layer(_lettuce(rng), -0.155, -0.05, 0.005)
    layer(_top_bun(rng), -0.3, 0.07, -0.005)
    drops = []
    for _ in range(16):
        a, d = rng.uniform(0, 6.28), rng.uniform(0.36, 0.5)
        r = rng.uniform(0.004, 0.012)
        drops.append(ellipse(np.cos(a) * d, np.sin(a) * d * 0.85, r, r * rng.uniform(1.0, 1.8), a, n=16))
    shapes.append(many(drops[:9], rgb("d3301c"), rgb("8c140c"), volume=0.9, detail=True))
    leaf = smooth([(-0.03, 0), (-0.01, -0.016), (0.02, -0.012), (0.032, 0.004), (0.005, 0.016)])
    leaves = [
        moved(rotated(leaf, rng.uniform(0, 6)), rng.choice([-1, 1]) * rng.uniform(0.34, 0.44), rng.uniform(-0.3, 0.25))
        for _ in range(7)
    ]
    for x, y, turn, size in ((-0.45, -0.05, 0.5, 0.075), (0.46, -0.2, -0.4, 0.06), (0.44, 0.1, 0.9, 0.05)):
        pickle = [
            one(ellipse(0, 0.012, 1.0, 0.52) * size, rgb("4d6b1e"), rgb("2c4210"), volume=0.8),
            one(ellipse(0, 0, 0.94, 0.46) * size, rgb("b5cc5a"), rgb("8fae3c")),
        ]
        pickle.append(
            many(
                [ellipse(np.cos(a) * 0.5, np.sin(a) * 0.22, 0.12, 0.06, a, n=12) * size for a in np.arange(5) * 1.257],
                rgb("dfeaa0"),
                detail=True,
            )
        )
        shapes.extend(placed(pickle, x, y, 1.0, turn))
    for x, y, turn, size in ((-0.44, -0.27, -0.3, 0.085), (-0.47, 0.22, 0.6, 0.06)):
        shapes.extend(
            placed(
                [
                    one(
                        with_hole(ellipse(0, 0, size, size * 0.5), ellipse(0, -0.002, size * 0.78, size * 0.34)),
                        rgb("f6ecf4"),
                        rgb("b877a8"),
                        volume=0.8,
                    )
                ],
                x,
                y,
                1.0,
                turn,
            )
        )
    shapes.append(many(leaves, rgb("8fca3c"), rgb("3d7a1e"), volume=0.6, detail=True))
    return shapes


def _base_bun() -> list[Shape]:
    body = smooth(
        [(-0.31, -0.03), (0, -0.02), (0.31, -0.03), (0.3, 0.05), (0.2, 0.1), (0, 0.115), (-0.2, 0.1), (-0.3, 0.05)]
    )
    return [
        one(body, rgb("e9a24a"), rgb("8a4715"), volume=1.0, grain=0.06),
        one(ellipse(0, -0.03, 0.31, 0.06), rgb("ffe2ae"), rgb("e0a95e"), grain=0.16),
        one(ellipse(0, -0.03, 0.25, 0.043), rgb("fff0cc"), rgb("f0c884"), grain=0.2, detail=True),
    ]


def _sauce(rng: Rng) -> list[Shape]:
    edge = [
        (np.cos(a) * (0.27 + 0.035 * np.sin(a * 5 + 1)), np.sin(a) * (0.045 + 0.012 * np.sin(a * 7)))
        for a in np.linspace(0, 2 * np.pi, 28, endpoint=False)
    ]
    drips = [
        ribbon([(x, 0.015), (x + 0.004, 0.03 + d * 0.6), (x, 0.03 + d)], [0.03, 0.016, 0.024])
        for x, d in ((-0.17, 0.06), (-0.05, 0.04), (0.1, 0.075), (0.2, 0.03))
    ]
    return [
        many([smooth(edge, 4), *drips], rgb("e03a1e"), rgb("9c160c"), volume=1.0),
        one(
            smooth([(-0.2, -0.016), (-0.05, -0.03), (0.1, -0.028), (-0.02, -0.016)]),
            rgb("ffb49c"),
            alpha=0.6,
            detail=True,
        ),
    ]


def _patty(rng: Rng) -> list[Shape]:
    a = np.linspace(0, 2 * np.pi, 44, endpoint=False)
    rough = 1 + rng.normal(0, 0.014, 44)
    side = smooth(np.stack([np.cos(a) * 0.315 * rough, np.sin(a) * 0.078 * rough + 0.02], axis=1), 3)
    top = smooth(np.stack([np.cos(a) * 0.31 * rough, np.sin(a) * 0.058 * rough - 0.012], axis=1), 3)
    bars = [ribbon([(x - 0.05, -0.05), (x + 0.05, 0.03)], 0.016) for x in (-0.17, -0.05, 0.07, 0.19)]
    specks = [
        ellipse(
            rng.uniform(-0.28, 0.28),
            rng.uniform(-0.04, 0.07),
            rng.uniform(0.004, 0.011),
            rng.uniform(0.003, 0.006),
            rng.uniform(0, 3),
            n=10,
        )
        for _ in range(60)
    ]
    return [
        one(side, rgb("6e3717"), rgb("2c1206"), volume=1.0, grain=0.4),
        one(top, rgb("93502a"), rgb("5e2d12"), grain=0.45),
        many(bars, rgb("2a1208"), alpha=0.75),
        many(specks[:34], rgb("b8743f"), alpha=0.6, detail=True),
        many(specks[34:], rgb("1f0c04"), alpha=0.7, detail=True),
    ]


def _cheese() -> list[Shape]:
    sheet = smooth(
        [
            (-0.35, 0.0),
            (-0.02, -0.055),
            (0.34, -0.005),
            (0.26, 0.045),
            (0.2, 0.035),
            (0.13, 0.1),
            (0.08, 0.05),
            (0.0, 0.06),
            (-0.1, 0.085),
            (-0.14, 0.125),
            (-0.19, 0.06),
            (-0.28, 0.04),
        ],
        7,
    )
    return [
        one(sheet, rgb("ffcb3d"), rgb("e88a10"), volume=0.9),
        one(
            smooth([(-0.28, -0.002), (-0.02, -0.042), (0.2, -0.012), (-0.04, -0.022)]),
            rgb("fff0a8"),
            alpha=0.6,
            detail=True,
        ),
    ]


def _tomato() -> list[Shape]:
    shapes: list[Shape] = []
    for x, y, turn in ((-0.125, 0.01, -0.06), (0.13, -0.004, 0.08)):
        seeds = [
            ellipse(x + np.cos(a) * 0.085, y - 0.012 + np.sin(a) * 0.022, 0.03, 0.011, a * 0.4, n=16)
            for a in np.arange(6) * np.pi / 3 + 0.3
        ]
        shapes += [
            one(ellipse(x, y + 0.018, 0.165, 0.048, turn), rgb("c4261b"), rgb("7c0f0c"), volume=0.9),
            one(ellipse(x, y - 0.01, 0.163, 0.045, turn), rgb("ef4a38"), rgb("d02c20")),
            one(ellipse(x, y - 0.011, 0.14, 0.036, turn), rgb("ff7a62"), rgb("ee4f3c"), detail=True),
            many(seeds, rgb("ffb37a"), rgb("e8643c"), detail=True),
        ]
    return shapes


def _lettuce(rng: Rng) -> list[Shape]:
    shapes: list[Shape] = []
    for k, (wide, tall, tone) in enumerate(((0.35, 0.062, "4e8f24"), (0.33, 0.05, "86c43a"), (0.27, 0.034, "bfe46e"))):
        a = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        frill = 1 + 0.055 * np.sin(a * 15 + k) + rng.normal(0, 0.018, 60)
        edge = np.stack(
            [np.cos(a) * wide * frill, np.sin(a) * tall * (1 + 0.25 * np.sin(a * 13 + k * 2)) + 0.02 - k * 0.013],
            axis=1,
        )
        shapes.append(one(smooth(edge, 3), lighter(rgb(tone), 0.12), darker(rgb(tone), 0.28), volume=0.8, grain=0.05))
    veins = [
        ribbon([(0, 0.0), (np.cos(t) * 0.12, np.sin(t) * 0.02), (np.cos(t) * 0.24, np.sin(t) * 0.034)], [0.008, 0.001])
        for t in np.linspace(0.2, 6.0, 11)
    ]
    return [*shapes, many(veins, rgb("e6f7b8"), alpha=0.7, detail=True)]


def _top_bun(rng: Rng) -> list[Shape]:
    dome = smooth(
        [
            (-0.33, 0.055),
            (-0.335, -0.02),
            (-0.25, -0.125),
            (-0.1, -0.175),
            (0.08, -0.178),
            (0.24, -0.13),
            (0.335, -0.02),
            (0.33, 0.055),
            (0.2, 0.085),
            (0, 0.092),
            (-0.2, 0.085),
        ],
        9,
    )
    seeds: list[tuple[float, float]] = []
    for _ in range(400):
        x, y = rng.uniform(-0.27, 0.27), rng.uniform(-0.165, -0.005)
        roomy = all(np.hypot(x - s[0], (y - s[1]) * 1.3) > 0.036 for s in seeds)
        if roomy and (x / 0.3) ** 2 + ((y + 0.0) / 0.165) ** 2 < 0.9 and len(seeds) < 46:
            seeds.append((x, y))
    shells = [ellipse(x, y, 0.0105, 0.0068, x * 2.4 + rng.normal(0, 0.4), n=14) for x, y in seeds]
    return [
        one(dome, rgb("f2a945"), rgb("a4541a"), volume=1.25, grain=0.05),
        one(ellipse(0, 0.062, 0.325, 0.03), rgb("ffe0a6"), rgb("c98a44"), grain=0.12),
        one(
            smooth([(-0.23, -0.09), (-0.12, -0.15), (0.0, -0.158), (-0.1, -0.125), (-0.18, -0.07)]),
            rgb("fff1d0"),
            alpha=0.5,
            soft=0.006,
            detail=True,
        ),
        many([moved(shell, 0.002, 0.004) for shell in shells], rgb("7a3c10"), alpha=0.6, detail=True),
        many(shells, rgb("fff4d6"), rgb("f0d7a0"), detail=True),
    ]
