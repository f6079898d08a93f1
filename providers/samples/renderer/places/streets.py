"""A city street at night, and who walks there."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import (
    Layer,
    Scene,
    Shape,
    ellipse,
    many,
    one,
    pts,
    rect,
    ribbon,
    rounded,
    smooth,
    with_hole,
)


def city(scene: Scene, rng: Rng, horizon: float) -> None:
    """A street between towers at night: windows, signs, and all of it again in the wet asphalt."""
    frame, pal = scene.frame, scene.palette
    glow = [pal.accent, pal.accent2, rgb("ffd36b"), rgb("b58cff")]
    scene.layers.append(
        Layer(
            0.0, [one(ellipse(frame.w / 2, horizon, frame.w * 0.5, 0.28), pal.light, alpha=0.4, soft=0.12, light=0.16)]
        )
    )
    for depth, low, high, step in ((0.1, 0.16, 0.42, 0.1), (0.3, 0.1, 0.4, 0.15)):
        x = -0.05
        towers, lamps = [], []
        while x < frame.w + 0.05:
            w = step * rng.uniform(0.6, 1.2)
            edge = abs((x + w / 2) / frame.w - 0.5) * 2
            top = horizon - (low + (high - low) * edge * rng.uniform(0.5, 1.1)) * 1.15
            towers.append(rect(x, top, x + w * 0.94, horizon + 0.02))
            if rng.random() < 0.35:
                towers.append(rect(x + w * 0.45, top - 0.06, x + w * 0.48, top))
            lamps += [
                rect(wx, wy, wx + 0.007, wy + 0.011)
                for wx in np.arange(x + 0.012, x + w * 0.9 - 0.01, 0.016)
                for wy in np.arange(top + 0.02, horizon - 0.02, 0.024)
                if rng.random() < 0.4
            ]
            x += w
        scene.layers.append(
            Layer(
                depth,
                [
                    many(towers, pal.at(depth), mix(pal.at(depth), pal.light, 0.25)),
                    many(lamps, rgb("ffdf9a"), light=0.55, detail=True),
                ],
            )
        )
    for side in (0, 1):
        scene.layers.append(Layer(0.6, _street_side(scene, rng, horizon, side, glow)))
    road = [one(rect(-0.1, horizon, frame.w + 0.1, frame.h + 0.1), mix(pal.mid, pal.light, 0.12), pal.near)]
    for _ in range(36):
        x = rng.uniform(0, frame.w)
        y = horizon + (frame.h - horizon) * rng.uniform(0.0, 0.9)
        colour = glow[int(rng.integers(len(glow)))]
        streak = ellipse(x, y + 0.05, rng.uniform(0.006, 0.03), rng.uniform(0.04, 0.16), n=20)
        road.append(one(streak, colour, alpha=0.32, soft=0.008, light=0.22, detail=True))
    stripes = [
        pts(
            (frame.w / 2 - 0.006 - t * 0.02, horizon + t * 0.12 + t * t * 0.3),
            (frame.w / 2 + 0.006 + t * 0.02, horizon + t * 0.12 + t * t * 0.3),
            (frame.w / 2 + 0.01 + t * 0.03, horizon + t * 0.17 + t * t * 0.4),
            (frame.w / 2 - 0.01 - t * 0.03, horizon + t * 0.17 + t * t * 0.4),
        )
        for t in np.arange(0.05, 1.0, 0.2)
    ]
    road.append(many(stripes, lighter(pal.mid, 0.35), alpha=0.6))
    scene.layers.append(Layer(0.7, road))


def _street_side(scene: Scene, rng: Rng, horizon: float, side: int, glow: list[Colour]) -> list[Shape]:
    """House fronts that run towards the vanishing point, with signs that stick out."""
    frame, pal = scene.frame, scene.palette
    centre = frame.w / 2

    def at(t: float, y: float) -> tuple[float, float]:
        """t: 0 near the edge of the picture … 1 far down the street; y: height over the pavement."""
        x = centre - (centre + 0.06) * (1 - t * 0.72) if side == 0 else centre + (centre + 0.06) * (1 - t * 0.72)
        return x, horizon + (0.16 - y * 1.1) * (1 - t * 0.8)

    shapes: list[Shape] = []
    for k in (2, 1, 0):
        t0, t1 = k * 0.3, k * 0.3 + 0.3
        tall = rng.uniform(0.55, 0.85)
        colour = darker(mix(pal.mid, glow[k], 0.16), 0.1 + 0.12 * (2 - k))
        shapes.append(one(pts(at(t0, 0), at(t1, 0), at(t1, tall), at(t0, tall)), colour, mix(colour, pal.light, 0.12)))
        windows = []
        for level in np.arange(0.16, tall - 0.06, 0.1):
            for t in np.arange(t0 + 0.03, t1 - 0.04, 0.07):
                if rng.random() < 0.62:
                    windows.append(
                        pts(at(t, level), at(t + 0.042, level), at(t + 0.042, level + 0.06), at(t, level + 0.06))
                    )
        if windows:
            shapes.append(many(windows, rgb("ffcf86"), glow[k], light=0.5))
        shop = pts(at(t0 + 0.03, 0.015), at(t1 - 0.03, 0.015), at(t1 - 0.03, 0.1), at(t0 + 0.03, 0.1))
        shapes.append(one(shop, lighter(glow[k], 0.35), glow[(k + 1) % 4], light=0.8))
        (sx, sy), tint = at(t0 + 0.2, 0.36), glow[int(rng.integers(4))]
        size = 0.034 * (1 - t0)
        shapes.append(
            one(rounded(sx - size, sy - size * 2.6, sx + size, sy + size * 2.6, size * 0.4), darker(tint, 0.75))
        )
        tube = with_hole(
            rounded(sx - size * 0.82, sy - size * 2.4, sx + size * 0.82, sy + size * 2.4, size * 0.3),
            rounded(sx - size * 0.66, sy - size * 2.24, sx + size * 0.66, sy + size * 2.24, size * 0.2),
        )
        marks = [
            rect(
                sx - size * 0.4,
                sy + size * v - size * 0.16,
                sx + size * rng.uniform(0.1, 0.45),
                sy + size * v + size * 0.16,
            )
            for v in (-1.5, -0.5, 0.5, 1.5)
        ]
        shapes.append(many([tube, *marks], lighter(tint, 0.3), light=1.0))
    return shapes


def people(scene: Scene, rng: Rng, ground: float, count: int = 3) -> None:
    """Walkers with umbrellas, seen from behind."""
    frame, pal = scene.frame, scene.palette
    shapes: list[Shape] = []
    for k in range(count):
        x = frame.w * (0.5 + (k - (count - 1) / 2) * 0.15) + rng.normal(0, 0.02)
        s = 0.2 + 0.07 * (k % 2)
        y = ground + (k % 2) * 0.05
        body = smooth(
            [
                (x - 0.13 * s, y - 0.62 * s),
                (x, y - 0.7 * s),
                (x + 0.13 * s, y - 0.62 * s),
                (x + 0.19 * s, y - 0.2 * s),
                (x - 0.19 * s, y - 0.2 * s),
            ]
        )
        legs = [
            ribbon([(x - 0.06 * s, y - 0.25 * s), (x - 0.09 * s, y)], 0.07 * s),
            ribbon([(x + 0.06 * s, y - 0.25 * s), (x + 0.11 * s, y - 0.02 * s)], 0.07 * s),
        ]
        dark = darker(pal.near, 0.3)
        shapes.append(one(ellipse(x, y + 0.16 * s, 0.16 * s, 0.2 * s), dark, alpha=0.4, soft=0.012, detail=True))
        shapes.append(many([body, *legs], mix(dark, pal.mid, 0.35), dark, volume=0.4))
        dome = np.concatenate(
            [
                smooth(
                    [
                        (x - 0.42 * s, y - 0.74 * s),
                        (x - 0.3 * s, y - 1.0 * s),
                        (x, y - 1.12 * s),
                        (x + 0.3 * s, y - 1.0 * s),
                        (x + 0.42 * s, y - 0.74 * s),
                    ],
                    8,
                    closed=False,
                ),
                [(x + 0.21 * s, y - 0.79 * s), (x, y - 0.74 * s), (x - 0.21 * s, y - 0.79 * s)],
            ]
        )
        tint = [pal.accent, rgb("ffd36b"), pal.accent2][k % 3]
        shapes.append(one(dome, tint, darker(tint, 0.5), volume=0.7))
        shapes.append(one(rect(x - 0.006 * s, y - 1.18 * s, x + 0.006 * s, y - 0.6 * s), dark, detail=True))
    scene.layers.append(Layer(0.85, shapes))
