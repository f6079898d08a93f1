"""An island of isometric blocks."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, lighter, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Layer, Scene, Shape, ellipse, one, pts, rect


def island(scene: Scene, rng: Rng, horizon: float) -> None:
    """Blocks of land in an isometric sea."""
    frame, pal = scene.frame, scene.palette
    n, size = 11, min(frame.w / 11, 0.115)
    cx, cy = frame.w / 2, max(horizon, frame.h * 0.3)
    grass, sand, rock, water = rgb("7fb069"), rgb("ecd9a0"), rgb("9aa0a8"), mix(pal.accent2, rgb("2f8fb0"), 0.6)
    bump = rng.random((n, n))
    scene.layers.append(
        Layer(
            0.05,
            [
                one(
                    ellipse(cx, cy + n * size * 0.27, size * n * 0.62, size * n * 0.34),
                    darker(water, 0.55),
                    alpha=0.35,
                    soft=0.05,
                    detail=True,
                )
            ],
        )
    )
    for s in range(2 * n - 1):
        shapes: list[Shape] = []
        for i in range(max(0, s - n + 1), min(n, s + 1)):
            j = s - i
            dist = np.hypot(i - (n - 1) / 2, j - (n - 1) / 2) / (n / 2)
            up = max(0.0, 1.15 - dist) * 1.5 + (bump[i, j] - 0.5) * 0.7
            top = (
                water
                if up < 0.25
                else sand
                if up < 0.5
                else grass
                if up < 1.25
                else rock
                if up < 1.5
                else rgb("f6f6f2")
            )
            lift = size * (0.12 if up < 0.25 else 0.2 + up * 0.42)
            x, y = cx + (i - j) * size * 0.5, cy + (i + j) * size * 0.29 - lift
            a, b = size * 0.5, size * 0.29
            deep = lift + size * 0.3
            shapes.append(
                one(
                    pts((x - a, y), (x, y + b), (x, y + b + deep), (x - a, y + deep)),
                    darker(top, 0.3),
                    darker(top, 0.45),
                )
            )
            shapes.append(
                one(
                    pts((x + a, y), (x, y + b), (x, y + b + deep), (x + a, y + deep)),
                    darker(top, 0.14),
                    darker(top, 0.3),
                )
            )
            shapes.append(one(pts((x, y - b), (x + a, y), (x, y + b), (x - a, y)), lighter(top, 0.1), top))
            if top is grass and bump[j, i] > 0.45:
                for dy, r in ((0.0, 0.2), (-0.16, 0.15), (-0.3, 0.1)):
                    shapes.append(
                        one(
                            pts(
                                (x - r * size, y + dy * size),
                                (x + r * size, y + dy * size),
                                (x, y + (dy - 0.36) * size),
                            ),
                            tuned(darker(grass, 0.4), 1.1),
                            darker(grass, 0.5),
                            volume=0.5,
                        )
                    )
            elif top is sand and bump[j, i] > 0.62:
                hut = size * 0.17
                shapes.append(one(rect(x - hut, y - hut, x + hut, y + hut * 0.4), rgb("fff3df"), rgb("d9c4a5")))
                shapes.append(
                    one(
                        pts((x - hut * 1.3, y - hut), (x + hut * 1.3, y - hut), (x, y - hut * 2.1)),
                        pal.accent,
                        darker(pal.accent, 0.25),
                    )
                )
        scene.layers.append(Layer(0.3 + 0.5 * s / (2 * n), shapes))
