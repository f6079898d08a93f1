"""Darkness, flames and what rises from them."""

from __future__ import annotations

from providers.samples.renderer.colour import lighter, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Layer, Points, Scene, ellipse, many, one, smooth


def fire(scene: Scene, rng: Rng, horizon: float) -> None:
    """Darkness, smoke, tongues of flame from below, embers rising."""
    frame, pal = scene.frame, scene.palette
    scene.fiery = True
    scene.sun = (frame.w / 2, frame.h * 1.02, 0.3)
    back = [
        one(
            ellipse(frame.w / 2, frame.h * 0.58, frame.w * 0.46, frame.h * 0.4),
            pal.accent,
            alpha=0.5,
            soft=0.13,
            light=0.22,
        ),
        one(
            ellipse(frame.w / 2, frame.h * 1.0, frame.w * 0.7, frame.h * 0.3),
            pal.accent2,
            alpha=0.45,
            soft=0.1,
            light=0.3,
        ),
    ]
    scene.layers.append(Layer(0.1, back))
    for depth, tall, colour, count in (
        (0.2, 0.5, pal.accent, 9),
        (0.3, 0.36, rgb("ff8a1f"), 10),
        (0.4, 0.22, pal.accent2, 11),
    ):
        tongues = []
        for k in range(count):
            x = (k + rng.uniform(0.1, 0.9)) / count * (frame.w + 0.1) - 0.05
            edge = 0.45 + abs(x / frame.w - 0.5) * 1.5
            h, w = tall * edge * rng.uniform(0.6, 1.15), rng.uniform(0.045, 0.085)
            sway = rng.normal(0, 0.05)
            y = frame.h + 0.03
            tongues.append(
                smooth(
                    [
                        (x - w, y),
                        (x - w * 0.9, y - h * 0.35),
                        (x - w * 0.25 + sway * 0.4, y - h * 0.62),
                        (x + sway, y - h),
                        (x + w * 0.35 + sway * 0.5, y - h * 0.55),
                        (x + w * 0.95, y - h * 0.25),
                        (x + w, y),
                    ],
                    9,
                )
            )
        scene.layers.append(
            Layer(depth, [many(tongues, colour, lighter(colour, 0.25), alpha=0.75, soft=0.006, light=0.55)])
        )


def embers(scene: Scene, rng: Rng, count: int = 130) -> None:
    frame, pal = scene.frame, scene.palette
    small: list[Points] = []
    large: list[Points] = []
    for k in range(count):
        x, y, r = rng.uniform(0, frame.w), frame.h * rng.random() ** 0.8, abs(rng.normal(0, 0.0022)) + 0.001
        turn = rng.normal(0.4, 0.5)
        (large if k % 12 == 0 else small).append(
            ellipse(x, y, r * (2.2 if k % 12 == 0 else 1.7), r * (1.6 if k % 12 == 0 else 0.8), turn, n=10)
        )
    scene.layers.append(
        Layer(
            0.9,
            [
                many(small, pal.accent2, light=1.0, detail=True),
                many(large, pal.accent, soft=0.003, light=0.9, detail=True),
            ],
        )
    )
