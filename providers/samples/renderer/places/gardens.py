"""Hills, hedges and flower beds."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, darker, lighter, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.places.sky import puffs
from providers.samples.renderer.shapes import Layer, Scene, Shape, ellipse, many, one, ribbon, ridge, smooth


def garden(scene: Scene, rng: Rng, horizon: float) -> None:
    """Hedges and hills behind, beds of flowers before us."""
    frame, pal = scene.frame, scene.palette
    for k, depth in enumerate((0.12, 0.3, 0.48)):
        colour = pal.at(depth)
        scene.layers.append(
            Layer(depth, [one(ridge(frame, horizon + k * 0.05, 0.03, rng, 0.3, 2.0), lighter(colour, 0.12), colour)])
        )
        bushes = [
            p
            for x in np.linspace(0, frame.w, 9) + rng.normal(0, 0.03, 9)
            for p in puffs(x, horizon + 0.04 + k * 0.06, rng.uniform(0.05, 0.1), rng, flat=False)
        ]
        scene.layers.append(
            Layer(depth + 0.05, [many(bushes, lighter(colour, 0.08), darker(colour, 0.18), volume=0.8)])
        )
    hues = [pal.accent, pal.accent2, lighter(pal.accent, 0.45), tuned(pal.accent, 0.9, 0.78), rgb("fff4e4")]
    for depth, scale, count in ((0.62, 0.6, 15), (0.82, 0.85, 12), (1.0, 1.15, 9)):
        base = frame.h * (0.8 + 0.2 * depth) + 0.02
        scene.layers.append(
            Layer(
                depth,
                [one(ridge(frame, base - 0.05 * scale, 0.02, rng), pal.at(depth * 0.9), darker(pal.at(depth), 0.2))],
            )
        )
        shapes: list[Shape] = []
        for k in range(count):
            x = (k + rng.uniform(0.1, 0.9)) / count * frame.w
            tall = rng.uniform(0.15, 0.28) * frame.h**0.7 * scale * (1.0 if abs(x / frame.w - 0.5) > 0.2 else 0.6)
            shapes += flower(x, base, tall, hues[int(rng.integers(len(hues)))], pal.at(depth * 0.7), rng)
        scene.layers.append(Layer(depth, shapes))


def flower(x: float, base: float, tall: float, colour: Colour, green: Colour, rng: Rng) -> list[Shape]:
    lean, r = rng.normal(0, 0.02), tall * 0.27
    top = (x + lean, base - tall)
    leaf = [
        smooth(
            [
                (x, base - tall * 0.25),
                (x + s * r * 0.8, base - tall * 0.48),
                (x + s * r * 1.5, base - tall * 0.62),
                (x + s * r * 0.7, base - tall * 0.3),
            ]
        )
        for s in (-1, 1)
    ]
    shapes = [
        one(ribbon([(x, base + 0.03), (x + lean * 0.2, base - tall * 0.5), top], tall * 0.04), green),
        many(leaf, lighter(green, 0.12), green),
    ]
    kind = rng.integers(3)
    if kind == 0:  # tulip
        cup = (
            smooth(
                [(-1, -0.9), (-0.5, -0.35), (0, -1.15), (0.5, -0.35), (1, -0.9), (0.85, 0.45), (0, 0.95), (-0.85, 0.45)]
            )
            * r
            * 0.75
        )
        return [*shapes, one(cup + top, lighter(colour, 0.2), darker(colour, 0.12), volume=0.7)]
    petals = 8 if kind == 1 else 13
    ring = [ellipse(0.62 * r, 0, 0.5 * r, 0.24 * r if kind == 1 else 0.13 * r, n=18) for _ in range(petals)]
    turned = []
    for i, petal in enumerate(ring):
        a = i * 2 * np.pi / petals + rng.normal(0, 0.05)
        turned.append(petal @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) * (1, 0.86) + top)
    heart = ellipse(top[0], top[1], r * 0.3, r * 0.27, n=20)
    return [
        *shapes,
        many(turned, lighter(colour, 0.15), darker(colour, 0.1), volume=0.5),
        one(heart, rgb("ffc545"), rgb("b8631c"), volume=0.8),
    ]
