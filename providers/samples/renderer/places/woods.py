"""A birch forest in fog."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.places.sky import fog, puffs
from providers.samples.renderer.shapes import (
    Layer,
    Points,
    Scene,
    Shape,
    ellipse,
    many,
    moved,
    one,
    pts,
    ribbon,
    ridge,
    smooth,
)


def forest(scene: Scene, rng: Rng, horizon: float) -> None:
    """Birches in fog: trunks far and near with shafts of light between them, ferns in front."""
    frame, pal = scene.frame, scene.palette
    mist = mix(pal.sky[2], pal.light, 0.5)
    ground = max(horizon, frame.h * 0.66)
    for depth, width, count in ((0.12, 0.014, 16), (0.32, 0.026, 10), (0.6, 0.045, 6)):
        colour = mix(pal.at(depth), mist, 0.55 - depth * 0.5)
        shapes = [one(ridge(frame, ground - 0.1 + depth * 0.16, 0.02, rng), colour, mix(colour, mist, 0.2))]
        crowns = [
            p
            for x in np.linspace(0, frame.w, 9)
            for p in puffs(x, rng.uniform(-0.04, 0.07 - 0.03 * depth), rng.uniform(0.1, 0.17), rng, flat=False)
        ]
        shapes.append(
            many(crowns, mix(colour, pal.accent2, 0.3), mix(colour, pal.accent2, 0.12), alpha=0.75, volume=0.4)
        )
        bark = mix(mix((0.96, 0.94, 0.9), mist, 0.3), colour, 0.62 - depth * 0.55)
        trunks, marks = [], []
        for k in range(count):
            x = (k + rng.uniform(0.15, 0.85)) / count * frame.w
            if depth > 0.5 and abs(x / frame.w - 0.5) < 0.24:
                x = frame.w * (0.06 if x < frame.w / 2 else 0.94) + rng.uniform(-0.04, 0.04)
            lean = rng.normal(0, 0.025)
            foot = ground - 0.06 + depth * 0.2 + rng.uniform(0, 0.03)
            trunks.append(
                ribbon([(x + lean, -0.1), (x + lean * 0.4, 0.3), (x, foot)], [width * 0.7, width * 0.9, width * 1.25])
            )
            for y in np.arange(0.02, foot - 0.02, 0.05 if depth > 0.5 else 0.09):
                side, yy = rng.choice([-1, 1]), y + rng.uniform(0, 0.04)
                marks.append(
                    ellipse(
                        x + lean * (1 - yy) * 0.8 + side * width * 0.25,
                        yy,
                        width * rng.uniform(0.14, 0.34),
                        width * 0.07,
                        n=10,
                    )
                )
        shapes.append(many(trunks, bark, mix(bark, colour, 0.35), volume=0.6))
        shapes.append(many(marks, darker(mix(colour, bark, 0.2), 0.35 * depth + 0.1), detail=True))
        scene.layers.append(Layer(depth, shapes))
        scene.layers.append(Layer(depth, [fog(frame, ground - 0.16 + depth * 0.1, 0.16, mist, 0.62, rng)]))
        if depth < 0.5 and scene.sun:
            scene.layers.append(Layer(depth, _shafts(scene, ground)))
    soil = mix(pal.at(0.7), rgb("6b5a3a"), 0.3)
    litter = [
        ellipse(
            rng.uniform(0, frame.w),
            ground + 0.08 + (frame.h - ground) * rng.random(),
            rng.uniform(0.004, 0.011),
            rng.uniform(0.002, 0.005),
            rng.uniform(0, 3),
            n=9,
        )
        for _ in range(150)
    ]
    blades = []
    for _ in range(110):
        x, y, tall = (
            rng.uniform(0, frame.w),
            ground + 0.05 + (frame.h - ground) * rng.random() * 0.8,
            rng.uniform(0.012, 0.04),
        )
        blades.append(pts((x - 0.003, y), (x + 0.003, y), (x + rng.normal(0, 0.012), y - tall)))
    scene.layers.append(
        Layer(
            0.8,
            [
                one(
                    ridge(frame, ground + 0.055, 0.014, rng, 0.6, 6),
                    mix(soil, mist, 0.3),
                    darker(soil, 0.5),
                    grain=0.12,
                ),
                many(litter[:75], mix(pal.accent, soil, 0.35), alpha=0.7, detail=True),
                many(litter[75:], mix(pal.accent2, soil, 0.4), alpha=0.7, detail=True),
                many(blades, mix(pal.mid, rgb("6f8f4f"), 0.4), alpha=0.8, detail=True),
            ],
        )
    )


def _shafts(scene: Scene, ground: float) -> list[Shape]:
    assert scene.sun is not None
    x, y, _ = scene.sun
    ends = np.linspace(-0.2, scene.frame.w + 0.2, 7)
    beams = [pts((x - 0.02, y), (x + 0.02, y), (e + 0.07, ground + 0.1), (e - 0.02, ground + 0.1)) for e in ends]
    return [many(beams, scene.palette.light, alpha=0.16, soft=0.018, detail=True, light=0.12)]


def ferns(scene: Scene, rng: Rng, y: float, count: int = 9) -> None:
    """Foreground leaves, dark against the light, away from the middle."""
    frame, pal = scene.frame, scene.palette
    leaves: list[Points] = []
    for k in range(count):
        side = k % 2
        x = rng.uniform(-0.02, 0.22) * frame.w if side else frame.w - rng.uniform(-0.02, 0.22) * frame.w
        for turn in np.linspace(-1.1, 1.1, 5):
            size = rng.uniform(0.1, 0.2)
            tip = (x + np.sin(turn) * size * 1.1, y - np.cos(turn) * size + abs(turn) * size * 0.25)
            stem = smooth([(x, y), ((x + tip[0]) / 2, (y + tip[1]) / 2 - 0.02), tip], 7, closed=False)
            for i, p in enumerate(stem[1:]):
                long = size * 0.24 * (1 - i / len(stem)) + 0.004
                across = np.array([np.cos(turn), np.sin(turn)])
                for flip in (-1, 1):
                    end = p + across * long * flip + (0, long * 0.12)
                    leaves.append(np.array([moved(p, 0, 0.006), moved(p, 0, -0.006), end]))
            leaves.append(ribbon([tuple(q) for q in stem[:: max(1, len(stem) // 4)]], [0.005, 0.002], per=3))
    scene.layers.append(Layer(1.0, [many(leaves, mix(pal.near, pal.mid, 0.25), darker(pal.near, 0.25), detail=True)]))
