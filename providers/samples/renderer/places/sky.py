"""What hangs in the air: sun, moon, stars, clouds, birds, fog, rain."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, darker, lighter, mix
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Frame,
    Layer,
    Points,
    Scene,
    Shape,
    ellipse,
    many,
    one,
    pts,
    ribbon,
    rounded,
    wavy_line,
)


def sun(scene: Scene, x: float, y: float, r: float, rays: bool = False, glow: float = 0.9) -> Layer:
    """The light of the scene, with a halo; also remembered, because looks aim their light by it."""
    scene.sun = (x, y, r)
    light = scene.palette.light
    shapes = [
        one(ellipse(x, y, r * 2.6), light, alpha=0.22, soft=r * 0.9, light=0.25),
        one(ellipse(x, y, r), light, lighter(light, 0.4), light=glow),
    ]
    if rays:
        for k in range(9):
            turn = k * 2 * np.pi / 9 + 0.2
            beam = pts((0, -0.04), (2.2, -0.22), (2.2, 0.22), (0, 0.04))
            c, s = np.cos(turn), np.sin(turn)
            shapes.append(one(beam @ np.array([[c, s], [-s, c]]) + (x, y), light, alpha=0.07, soft=0.02, detail=True))
    layer = Layer(0.0, shapes)
    scene.layers.append(layer)
    return layer


def moon(scene: Scene, x: float, y: float, r: float) -> None:
    layer = sun(scene, x, y, r, glow=0.4)
    shade = darker(scene.palette.light, 0.16)
    for dx, dy, size in ((-0.3, -0.25, 0.24), (0.28, 0.1, 0.3), (-0.15, 0.42, 0.16), (0.3, -0.45, 0.12)):
        layer.shapes.append(one(ellipse(x + dx * r, y + dy * r, size * r), shade, alpha=0.75, detail=True, light=0.25))


def stars(scene: Scene, rng: Rng, low: float, count: int = 170) -> None:
    w = scene.frame.w
    dots = [
        ellipse(rng.uniform(0, w), low * rng.random() ** 1.3, abs(rng.normal(0, 0.0013)) + 0.0008, n=6)
        for _ in range(count)
    ]
    scene.layers.append(Layer(0.0, [many(dots, (1.0, 0.97, 0.9), light=0.9, detail=True)]))


def puffs(x: float, y: float, size: float, rng: Rng, flat: bool = True) -> list[Points]:
    """A cloud, a bush or a tree's crown: overlapping rounds, cut off flat below when it is a cloud."""
    parts = []
    for k in range(9):
        at = rng.uniform(-0.8, 0.8) if k > 2 else (-0.45, 0.0, 0.5)[k]
        r = size * 0.36 * (1.05 - abs(at) * 0.6) * rng.uniform(0.8, 1.15)
        ball = ellipse(x + at * size, y - r * (0.55 if flat else rng.uniform(-0.5, 0.9)), r, r * 0.9, n=40)
        parts.append(np.minimum(ball, (np.inf, y + size * 0.02)) if flat else ball)
    if flat:
        parts.append(rounded(x - size, y - size * 0.14, x + size, y + size * 0.02, size * 0.08))
    return parts


def clouds(
    scene: Scene,
    rng: Rng,
    low: float,
    count: int = 5,
    tint: Colour | None = None,
    alpha: float = 0.85,
    below: bool = False,
) -> None:
    pal = scene.palette
    base = tint or mix(pal.sky[2], (1.0, 1.0, 1.0), 0.45)
    shapes = []
    for k in range(count):
        size = rng.uniform(0.09, 0.19)
        x = (k + rng.uniform(0.1, 0.9)) / count * scene.frame.w
        shapes.append(
            many(
                puffs(x, rng.uniform(0.6 if below else 0.3, 0.95) * low, size, rng),
                lighter(base, 0.3),
                base,
                alpha=alpha,
                volume=0.7,
            )
        )
    scene.layers.append(Layer(0.08, shapes))


def birds(scene: Scene, rng: Rng, x: float, y: float, count: int = 6) -> None:
    flock = []
    for _ in range(count):
        bx, by, s = x + rng.normal(0, 0.1), y + rng.normal(0, 0.04), rng.uniform(0.012, 0.024)
        flock.append(
            ribbon(
                [
                    (bx - s, by - s * 0.5),
                    (bx - s * 0.4, by - s * 0.55),
                    (bx, by),
                    (bx + s * 0.4, by - s * 0.6),
                    (bx + s, by - s * 0.35),
                ],
                [0.001, 0.005, 0.003, 0.005, 0.001],
            )
        )
    scene.layers.append(Layer(0.3, [many(flock, darker(scene.palette.near, 0.2), detail=True)]))


def fog(frame: Frame, y: float, thick: float, colour: Colour, alpha: float, rng: Rng) -> Shape:
    line = wavy_line(frame.w, rng, 0.4, 4.0, 60)
    top = line * (1, thick * 0.3) + (0, y)
    low = line[::-1] * (1, -thick * 0.25) + (0, y + thick)
    return one(np.concatenate([top, low]), colour, alpha=alpha, soft=thick * 0.3, detail=True)


def storm_sky(scene: Scene, rng: Rng, low: float) -> None:
    pal = scene.palette
    for k in range(4):
        tint = mix(pal.sky[0], pal.sky[1], k / 4)
        y = low * (0.12 + 0.2 * k)
        bank = [
            p
            for x in np.linspace(-0.1, scene.frame.w + 0.1, 8)
            for p in puffs(x, y + rng.uniform(-0.05, 0.05), rng.uniform(0.16, 0.27), rng, flat=False)
        ]
        scene.layers.append(
            Layer(0.05 + k * 0.04, [many(bank, lighter(tint, 0.16), darker(tint, 0.3), volume=1.0, alpha=0.85)])
        )
    x = scene.frame.w * 0.2
    bolt = pts(
        (x, low * 0.3),
        (x + 0.035, low * 0.52),
        (x + 0.012, low * 0.54),
        (x + 0.05, low * 0.93),
        (x - 0.005, low * 0.6),
        (x + 0.014, low * 0.58),
        (x - 0.014, low * 0.42),
    )
    scene.layers.append(Layer(0.2, [one(bolt, (1.0, 0.98, 0.85), light=1.0)]))


def rain(scene: Scene, rng: Rng, count: int = 240, slant: float = 0.25, colour: Colour = (0.82, 0.9, 1.0)) -> None:
    drops = []
    for _ in range(count):
        x, y, length = rng.uniform(-0.1, scene.frame.w + 0.1), rng.uniform(-0.1, scene.frame.h), rng.uniform(0.02, 0.07)
        drops.append(
            pts((x, y), (x + 0.0022, y), (x + 0.0022 - slant * length, y + length), (x - slant * length, y + length))
        )
    scene.layers.append(Layer(0.95, [many(drops, colour, alpha=0.3, detail=True)]))
