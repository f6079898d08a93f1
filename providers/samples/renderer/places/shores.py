"""The sea and the desert: waves of water, waves of sand."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, lighter, mix, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Layer, Scene, ellipse, many, moved, one, rect, ribbon, smooth, wavy_line


def sea(scene: Scene, rng: Rng, horizon: float, wild: float = 0.3) -> None:
    """Rows of waves that grow towards us, with foam on their crests."""
    frame, pal = scene.frame, scene.palette
    scene.layers.append(Layer(0.15, [one(rect(-0.1, horizon, frame.w + 0.1, frame.h + 0.1), pal.far, pal.mid)]))
    rows = 7
    for k in range(rows):
        depth = 0.2 + 0.75 * k / (rows - 1)
        y = horizon + (frame.h - horizon) * ((k + 0.35) / rows) ** 1.25
        amp = (0.008 + 0.05 * wild) * (0.4 + depth)
        x = np.linspace(-0.1, frame.w + 0.1, 200)
        beat = (7 - depth * 3.2) * 2.2
        swell = (
            np.abs(np.sin(x * beat / 2 + rng.uniform(0, 6))) ** (1.0 + wild) * -amp * 1.7
            + np.sin(x * beat * 1.3 + k) * amp * 0.35
        )
        crest = np.stack([x, y + swell], axis=1)
        colour = pal.at(depth)
        body = np.concatenate([crest, [[frame.w + 0.1, frame.h + 0.1], [-0.1, frame.h + 0.1]]])
        foam = np.concatenate(
            [
                crest,
                crest[::-1]
                + np.stack(
                    [np.zeros(200), 0.001 + amp * 0.55 * (((swell.max() - swell) / np.ptp(swell)) ** 2)[::-1]], axis=1
                ),
            ]
        )
        spray = [
            ellipse(frame.w * rng.random(), y - amp * rng.uniform(0.6, 2.6), rng.uniform(0.001, 0.0045), n=8)
            for _ in range(int(46 * wild))
        ]
        white = mix(lighter(pal.sky[2], 0.6), colour, 0.2 * (1 - depth))
        shapes = [
            one(body, lighter(colour, 0.12), darker(colour, 0.3), volume=0.25),
            one(foam, white, alpha=0.8, detail=True),
        ]
        scene.layers.append(Layer(depth, [*shapes, many(spray, white, alpha=0.8, detail=True)] if spray else shapes))


def dunes(scene: Scene, rng: Rng, horizon: float) -> None:
    """Dunes with a lit and a shaded slope, meeting in a sharp crest."""
    frame, pal = scene.frame, scene.palette
    rows = 5
    for k in range(rows):
        depth = 0.1 + 0.85 * k / (rows - 1)
        y = horizon + (frame.h - horizon) * (k / rows) ** 1.15
        amp = 0.035 + 0.05 * depth
        line = wavy_line(frame.w, rng, 0.16, 2.6 - depth, 140)
        summit = frame.w * (0.3 if k % 2 else 0.68) + rng.normal(0, 0.06)
        away = line[:, 0] - summit
        line[:, 1] = y + line[:, 1] * amp * 0.45 - amp * 1.5 * np.exp(-np.abs(away) / np.where(away < 0, 0.32, 0.2))
        colour = mix(pal.at(depth), pal.accent2 if depth < 0.2 else pal.at(depth), 0.12)
        land = np.concatenate([line, [[frame.w + 0.05, frame.h + 0.05], [-0.05, frame.h + 0.05]]])
        shapes = [one(land, lighter(colour, 0.2), darker(colour, 0.1), grain=0.05)]
        peak = int(np.argmin(line[20:-20, 1])) + 20
        p = line[peak]
        slope = [tuple(q) for q in line[peak : min(139, peak + 46)]]
        foot = [
            (slope[-1][0], slope[-1][1] + 0.02),
            (p[0] + 0.16, p[1] + amp * 2.6),
            (p[0] - 0.06, p[1] + amp * 4.2),
            (p[0] + 0.05, p[1] + amp * 1.6),
        ]
        back = smooth([slope[-1], *foot, tuple(p)], 8, closed=False)
        shapes.append(
            one(
                np.concatenate([np.array(slope), back]),
                darker(tuned(colour, 1.1), 0.26),
                mix(colour, pal.near, 0.3),
                alpha=0.75,
            )
        )
        ripples = []
        for r in range(4 if depth > 0.5 else 0):
            run = moved(line[10 + r * 7 : 70 + r * 7 : 6], 0, amp * (0.8 + 0.55 * r))
            ripples.append(ribbon([tuple(q) for q in run], [0.0005, 0.004, 0.0005], per=4))
        if ripples:
            shapes.append(many(ripples, darker(colour, 0.16), alpha=0.5, detail=True))
        scene.layers.append(Layer(depth, shapes))
