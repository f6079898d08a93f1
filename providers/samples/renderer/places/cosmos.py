"""Outer space."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Layer,
    Points,
    Scene,
    ellipse,
    many,
    moved,
    one,
    ribbon,
    rotated,
    smooth,
    star,
)


def space(scene: Scene, rng: Rng, horizon: float) -> None:
    """Nebulae, a ringed planet, a small moon."""
    frame, pal = scene.frame, scene.palette
    haze = []
    for k in range(7):
        colour = [pal.accent, pal.accent2, rgb("8a5cff"), rgb("ff5fa2")][k % 4]
        haze.append(
            one(
                ellipse(
                    frame.w * rng.uniform(0, 1),
                    frame.h * rng.uniform(0.1, 0.9),
                    rng.uniform(0.16, 0.36),
                    rng.uniform(0.08, 0.2),
                    rng.normal(0, 0.6),
                ),
                colour,
                alpha=0.2,
                soft=0.1,
                light=0.07,
                detail=True,
            )
        )
    dots = [
        ellipse(rng.uniform(0, frame.w), rng.uniform(0, frame.h), abs(rng.normal(0, 0.0014)) + 0.0008, n=6)
        for _ in range(260)
    ]
    sparks = [
        star(rng.uniform(0, frame.w), rng.uniform(0, frame.h), rng.uniform(0.008, 0.016), 0.0014, 4) for _ in range(9)
    ]
    scene.layers.append(
        Layer(
            0.0,
            [
                *haze,
                many(dots, (1.0, 0.97, 0.9), light=0.9, detail=True),
                many(sparks, (1.0, 1.0, 0.95), light=1.0, detail=True),
            ],
        )
    )


def planet(scene: Scene, x: float, y: float, r: float, rng: Rng) -> None:
    pal = scene.palette
    base, tilt = mix(pal.accent2, rgb("e0a05a"), 0.72), -0.32
    shapes = [one(ellipse(x, y, r * 1.18), pal.accent2, alpha=0.25, soft=r * 0.16, light=0.12)]
    behind, front = _ring(x, y, r, tilt)
    shapes.append(many(behind, mix(pal.light, pal.accent, 0.25), darker(pal.accent, 0.3), alpha=0.9))
    shapes.append(one(ellipse(x, y, r), base, mix(darker(base, 0.55), rgb("5a2a6e"), 0.5), volume=1.0))
    for v in np.linspace(-0.75, 0.75, 7):
        half = np.sqrt(1 - v * v) * 0.985
        band = ribbon([(-half, v), (0, v + 0.12), (half, v)], [0.01, rng.uniform(0.05, 0.13), 0.01]) * r
        tint = [pal.accent, lighter(base, 0.4), darker(base, 0.25)][int(rng.integers(3))]
        shapes.append(one(moved(rotated(band, tilt), x, y), tint, darker(tint, 0.4), alpha=0.5))
    night = (
        smooth(
            [(0.5, -0.87), (0.95, -0.3), (0.98, 0.2), (0.6, 0.8), (0.05, 1.0), (-0.5, 0.87), (0.12, 0.6), (0.45, 0.05)]
        )
        * r
    )
    shapes.append(one(moved(night, x, y), (0.04, 0.02, 0.12), alpha=0.5, soft=r * 0.06, detail=True))
    shapes.append(many(front, lighter(mix(pal.light, pal.accent, 0.2), 0.2), pal.accent, alpha=0.95))
    scene.layers.append(Layer(0.25, shapes))
    scene.sun = (x - r, y - r, r * 0.2)


def _ring(x: float, y: float, r: float, tilt: float) -> tuple[list[Points], list[Points]]:
    behind: list[Points] = []
    front: list[Points] = []
    for inner, outer in ((1.32, 1.58), (1.64, 1.92)):
        a = np.linspace(0, np.pi, 60)
        for half, sign in ((behind, -1), (front, 1)):
            out = np.stack([np.cos(a) * outer, sign * np.sin(a) * outer * 0.27], axis=1)
            inn = np.stack([np.cos(a) * inner, sign * np.sin(a) * inner * 0.27], axis=1)[::-1]
            half.append(moved(rotated(np.concatenate([out, inn]) * r, tilt), x, y))
    return behind, front
