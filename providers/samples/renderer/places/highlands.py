"""Peaks, their snow, their mirror image in a lake, and the firs along its shore."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Colour, darker, lighter, mix
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.places.sky import fog
from providers.samples.renderer.shapes import Frame, Layer, Points, Scene, Shape, many, one, pts, rect


def pine(x: float, base: float, height: float, rng: Rng) -> Points:
    """A fir: tiers of drooping branches."""
    tiers = 7
    left: list[tuple[float, float]] = [(x, base - height)]
    right: list[tuple[float, float]] = []
    for k in range(1, tiers + 1):
        y = base - height + height * 0.93 * k / tiers
        half = height * 0.21 * (k / tiers) ** 0.85 * rng.uniform(0.85, 1.12)
        left += [(x - half, y), (x - half * 0.42, y - height * 0.012)]
        right += [(x + half, y), (x + half * 0.42, y - height * 0.012)]
    trunk = [
        (x - height * 0.018, base - height * 0.07),
        (x - height * 0.018, base),
        (x + height * 0.018, base),
        (x + height * 0.018, base - height * 0.07),
    ]
    return pts(*left, *trunk, *right[::-1])


def mountains(scene: Scene, rng: Rng, horizon: float) -> None:
    """A lake under snow-capped peaks, and the peaks once more in the water."""
    frame, pal = scene.frame, scene.palette
    up: list[Shape] = []
    for k, (height, depth) in enumerate(((0.24, 0.1), (0.3, 0.3), (0.14, 0.55))):
        colour = pal.at(depth)
        peaks = _peaks(frame, horizon, height, rng, 2 + k * 2)
        up.append(
            one(
                np.concatenate([peaks, [[frame.w + 0.1, horizon], [-0.1, horizon]]]),
                colour,
                mix(colour, pal.sky[2], 0.35),
            )
        )
        if k < 2:
            up += _snow(peaks, horizon, height, mix(lighter(pal.light, 0.3), colour, 0.12), darker(colour, 0.25))
        scene.layers.append(Layer(depth, up[-3 if k < 2 else -1 :]))
        scene.layers.append(Layer(depth, [fog(frame, horizon - 0.035, 0.05, pal.sky[2], 0.5, rng)]))
    wood = [
        pine(x, horizon + 0.012, rng.uniform(0.05, 0.1), rng)
        for x in np.arange(-0.02, frame.w + 0.05, 0.028)
        if rng.random() < 0.75
    ]
    up.append(many(wood, pal.at(0.7)))
    scene.layers.append(Layer(0.6, [up[-1]]))
    water = [
        one(
            rect(-0.1, horizon, frame.w + 0.1, frame.h + 0.1),
            mix(pal.sky[2], pal.mid, 0.25),
            mix(pal.sky[0], pal.near, 0.45),
        )
    ]
    for shape in up:
        flipped = tuple(part * (1, -0.82) + (0, horizon * 1.82) for part in shape.parts)
        tint = mix(shape.fill, pal.mid, 0.42)
        water.append(Shape(flipped, mix(shape.fill2 or tint, pal.mid, 0.3), tint, alpha=0.7, detail=True))
    if scene.sun:
        x = scene.sun[0]
        glints = [
            rect(
                x + rng.normal(0, 0.02 + (y - horizon) * 0.16) - rng.uniform(0.01, 0.06),
                y,
                x + rng.normal(0, 0.03) + 0.04,
                y + 0.0045,
            )
            for y in np.arange(horizon + 0.01, frame.h, 0.016)
        ]
        water.append(many(glints, scene.palette.light, alpha=0.75, light=0.5, detail=True))
    lines = [
        rect(x := rng.uniform(-0.1, frame.w), y := rng.uniform(horizon, frame.h), x + rng.uniform(0.05, 0.3), y + 0.002)
        for _ in range(46)
    ]
    water.append(many(lines, lighter(pal.sky[2], 0.4), alpha=0.35, detail=True))
    scene.layers.append(Layer(0.7, water))


def _peaks(frame: Frame, base: float, height: float, rng: Rng, count: int) -> Points:
    xs = np.sort(np.concatenate([np.linspace(-0.1, frame.w + 0.1, count * 2 + 1)]))
    ys = np.array(
        [base - height * (rng.uniform(0.75, 1.1) if i % 2 else rng.uniform(0.2, 0.45)) for i in range(len(xs))]
    )
    xs[1:-1] += rng.uniform(-0.06, 0.06, len(xs) - 2)
    for rough in (0.05, 0.03, 0.016, 0.008):  # midpoint displacement: crags
        mx, my = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2 + rng.normal(0, rough * height * 1.6, len(xs) - 1)
        xs, ys = np.insert(xs, np.arange(1, len(xs)), mx), np.insert(ys, np.arange(1, len(ys)), my)
    return np.stack([xs, ys], axis=1)


def _snow(peaks: Points, base: float, height: float, snow: Colour, shade: Colour) -> list[Shape]:
    """Caps on what is high, and the shadowed eastern flank of each summit."""
    caps, flanks = [], []
    ys = peaks[:, 1]
    line = base - height * 0.62
    tops = [i for i in range(8, len(ys) - 8) if ys[i] == ys[i - 8 : i + 9].min() and ys[i] < line]
    for i in tops:
        a, b = i, i
        while a > 0 and ys[a] < line:
            a -= 1
        while b < len(ys) - 1 and ys[b] < line:
            b += 1
        zig = np.linspace(peaks[b], peaks[a], 9)
        zig[1:-1, 1] += np.where(np.arange(7) % 2 == 0, 0.05, -0.015) * height * 2.2
        caps.append(np.concatenate([peaks[a : b + 1], zig[1:-1]]))
        fall = min(len(ys) - 1, i + 14)
        flanks.append(
            np.concatenate(
                [
                    peaks[i : fall + 1],
                    [
                        [peaks[fall, 0] - 0.05, base],
                        [peaks[i, 0] - 0.02, base - height * 0.25],
                        [peaks[i, 0] + 0.02, base - height * 0.5],
                    ],
                ]
            )
        )
    out = [many(flanks, shade, alpha=0.4, detail=True)] if flanks else []
    return [*out, many(caps, snow, mix(snow, shade, 0.3))] if caps else out
