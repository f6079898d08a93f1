"""Interiors and surfaces: café wall with its blackboard, table by a window, sheet of paper."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Layer, Scene, Shape, ellipse, many, one, pts, rect, ribbon, rounded


def cafe(scene: Scene, rng: Rng, horizon: float) -> tuple[float, float, float, float]:
    """A blackboard on a café wall between lamps and leaves. Returns the writing surface."""
    frame, pal = scene.frame, scene.palette
    w, h = frame.w, frame.h
    planks = [rect(-0.1, y, w + 0.1, y + 0.004) for y in np.arange(0.0, h, 0.083)]
    wall = [
        one(rect(-0.1, -0.1, w + 0.1, h + 0.1), pal.sky[1], pal.sky[0], grain=0.08),
        many(planks, darker(pal.sky[0], 0.5), alpha=0.7, detail=True),
    ]
    for x in (0.1 * w, 0.5 * w, 0.9 * w):
        wall.append(one(ellipse(x, 0.02, 0.3, 0.4), pal.light, alpha=0.34, soft=0.1, light=0.1))
    scene.layers.append(Layer(0.1, wall))
    box = (w * 0.075, h * 0.085, w * 0.925, h * 0.87)
    x0, y0, x1, y1 = box
    wood = rgb("9a6233")
    board = [
        one(rect(x0 - 0.03, y0 - 0.03, x1 + 0.03, y1 + 0.03), (0.02, 0.01, 0.01), alpha=0.6, soft=0.025, detail=True),
        one(rect(x0, y0, x1, y1), rgb("2c3432"), rgb("1b2221"), grain=0.1),
    ]
    for _ in range(9):
        sx, sy = rng.uniform(x0 + 0.1, x1 - 0.1), rng.uniform(y0 + 0.06, y1 - 0.06)
        board.append(
            one(
                ellipse(sx, sy, rng.uniform(0.06, 0.2), rng.uniform(0.02, 0.05), rng.normal(-0.2, 0.25)),
                rgb("c8cfc8"),
                alpha=0.07,
                soft=0.025,
                detail=True,
            )
        )
    rim = 0.03
    sides = [
        pts((x0 - rim, y0 - rim), (x1 + rim, y0 - rim), (x1, y0), (x0, y0)),
        pts((x0 - rim, y1 + rim), (x1 + rim, y1 + rim), (x1, y1), (x0, y1)),
        pts((x0 - rim, y0 - rim), (x0, y0), (x0, y1), (x0 - rim, y1 + rim)),
        pts((x1 + rim, y0 - rim), (x1, y0), (x1, y1), (x1 + rim, y1 + rim)),
    ]
    for k, side in enumerate(sides):
        tone = lighter(wood, 0.12) if k == 0 else darker(wood, 0.12 * k)
        board.append(one(side, tone, darker(tone, 0.2), grain=0.14, volume=0.3))
    scene.layers.append(Layer(0.4, board))
    shelf = [one(rect(-0.1, h * 0.935, w + 0.1, h + 0.1), darker(wood, 0.1), darker(wood, 0.55), grain=0.12)]
    for x, colour in ((w * 0.32, rgb("f3efe4")), (w * 0.4, rgb("f0b7a8")), (w * 0.62, rgb("bfe0d2"))):
        shelf.append(one(rounded(x, h * 0.922, x + 0.06, h * 0.937, 0.006), colour, darker(colour, 0.2), volume=0.6))
    scene.layers.append(Layer(0.8, shelf))
    lamps: list[Shape] = []
    for x in (0.1 * w, 0.9 * w):
        lamps.append(one(rect(x - 0.002, -0.05, x + 0.002, 0.05), (0.05, 0.04, 0.04)))
        lamps.append(
            one(
                pts((x - 0.014, 0.035), (x + 0.014, 0.035), (x + 0.06, 0.092), (x - 0.06, 0.092)),
                rgb("c98b3c"),
                rgb("5d3513"),
                volume=0.8,
            )
        )
        lamps.append(one(ellipse(x, 0.096, 0.026, 0.018), rgb("fff0c0"), light=1.0))
        cone = pts((x - 0.03, 0.1), (x + 0.03, 0.1), (x + 0.34, h * 0.8), (x - 0.34, h * 0.8))
        lamps.insert(0, one(cone, pal.light, alpha=0.06, soft=0.05, light=0.05, detail=True))
    scene.layers.append(Layer(0.85, lamps))
    leaves = []
    for k in range(15):
        a = -np.pi / 2 + (k - 7) * 0.19
        tip = (w * 0.965 + np.cos(a) * 0.13, h * 0.9 + np.sin(a) * rng.uniform(0.12, 0.24))
        leaves.append(
            ribbon(
                [(w * 0.965, h * 0.9), ((w * 0.965 + tip[0]) / 2, (h * 0.9 + tip[1]) / 2 - 0.02), tip],
                [0.004, 0.024, 0.002],
            )
        )
    pot = pts(
        (w * 0.965 - 0.055, h * 0.895),
        (w * 0.965 + 0.055, h * 0.895),
        (w * 0.965 + 0.04, h * 0.985),
        (w * 0.965 - 0.04, h * 0.985),
    )
    scene.layers.append(
        Layer(
            0.95,
            [
                many(leaves, rgb("6f9f5f"), rgb("27452f"), volume=0.4),
                one(pot, rgb("c9683f"), rgb("7d3520"), volume=0.9),
            ],
        )
    )
    return box


def table(scene: Scene, rng: Rng, horizon: float) -> None:
    """A window with morning light and a wooden table before it."""
    frame, pal = scene.frame, scene.palette
    w, h = frame.w, frame.h
    wall = mix(pal.sky[1], pal.light, 0.15) if pal.dark else mix(pal.sky[2], pal.accent2, 0.15)
    x0, x1, y0, y1 = w * 0.52, w * 0.94, h * 0.08, horizon - 0.05
    shapes = [
        one(rect(-0.1, -0.1, w + 0.1, h), wall, darker(wall, 0.25), grain=0.03),
        one(rect(x0 - 0.02, y0 - 0.02, x1 + 0.02, y1 + 0.02), lighter(wall, 0.55)),
    ]
    panes = [
        rect(a, b, a + (x1 - x0) / 2 - 0.008, b + (y1 - y0) / 2 - 0.008)
        for a in (x0, x0 + (x1 - x0) / 2 + 0.008)
        for b in (y0, y0 + (y1 - y0) / 2 + 0.008)
    ]
    shapes.append(many(panes, rgb("bfe3ee"), pal.light, light=0.25))
    scene.layers.append(Layer(0.1, shapes))
    beam = pts((x0, y0), (x1, y0), (x0 + 0.05, h), (x0 - 0.55, h))
    scene.layers.append(Layer(0.3, [one(beam, pal.light, alpha=0.2, soft=0.04, detail=True)]))
    wood = rgb("a8693c")
    boards = [
        pts(
            (w / 2 + k * 0.12, horizon),
            (w / 2 + k * 0.12 + 0.003, horizon),
            (w / 2 + k * 0.3 + 0.006, h + 0.1),
            (w / 2 + k * 0.3, h + 0.1),
        )
        for k in range(-7, 8)
    ]
    scene.layers.append(
        Layer(
            0.5,
            [
                one(rect(-0.1, horizon, w + 0.1, h + 0.1), lighter(wood, 0.22), darker(wood, 0.35), grain=0.12),
                many(boards, darker(wood, 0.5), alpha=0.5, detail=True),
            ],
        )
    )


def page(scene: Scene, rng: Rng, horizon: float) -> None:
    """Paper: for things that are diagrams rather than views."""
    frame, pal = scene.frame, scene.palette
    dots = [ellipse(x, y, 0.0022, n=8) for x in np.arange(0.04, frame.w, 0.04) for y in np.arange(0.04, frame.h, 0.04)]
    scene.layers.append(
        Layer(
            0.0,
            [
                one(rect(-0.1, -0.1, frame.w + 0.1, frame.h + 0.1), pal.sky[0], pal.sky[2], grain=0.02),
                many(dots, darker(pal.sky[2], 0.18), alpha=0.6, detail=True),
            ],
        )
    )
