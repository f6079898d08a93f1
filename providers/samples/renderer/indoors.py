"""Settings under a roof or on paper: a café, a table, a page with charts."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import darker, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.figures import diagrams, things
from providers.samples.renderer.places import rooms
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.shapes import Scene, add, ellipse, moved, one, placed, rect


def cafe(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    rooms.cafe(scene, rng, 0.0)


def table(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    rooms.table(scene, rng, frame.h * 0.6)
    add(scene, 0.8, placed(things.coffee(scene.palette, rng), frame.w * 0.42, frame.h * 0.66, 0.62))


def page(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame, pal = scene.frame, scene.palette
    rooms.page(scene, rng, 0.0)
    add(scene, 0.3, [one(rect(-0.1, -0.1, frame.w + 0.1, frame.h * 0.225), pal.near, darker(pal.near, 0.2))])
    count = max(3, min(4, len(brief.phrases) - 1))
    step = (frame.w - 0.1) / count
    for k in range(count):
        x, y, r = 0.05 + (k + 0.5) * step, frame.h * 0.4, min(0.1, step * 0.4)
        tint = [pal.mid, pal.accent, pal.accent2, mix(pal.accent, pal.mid, 0.5)][k]
        badge = [
            one(ellipse(x, y, r * 1.08), mix(tint, rgb("ffffff"), 0.62)),
            *placed(diagrams.icon(k, pal), x, y, r * 1.5),
        ]
        if k:
            a = x - step / 2
            badge.append(one(np.array([(a - 0.018, y - 0.022), (a + 0.02, y), (a - 0.018, y + 0.022)]), pal.near))
        add(scene, 0.5, badge)
    y0, y1 = frame.h * 0.66, frame.h * 0.91
    add(scene, 0.6, diagrams.chart(pal, rng, frame.w * 0.08, y0, frame.w * 0.58, y1))
    ring = [(0.0, 0.45, pal.accent), (0.45, 0.75, pal.mid), (0.75, 1.0, pal.accent2)]
    cx, cy, r = frame.w * 0.78, (y0 + y1) / 2 + 0.005, min(0.12, (y1 - y0) / 2)
    for a, b, tint in ring:
        t = np.linspace(a, b, 30) * 2 * np.pi - np.pi / 2
        arc = np.stack([np.cos(t), np.sin(t)], axis=1)
        add(scene, 0.6, [one(moved(np.concatenate([arc * r, arc[::-1] * r * 0.55]), cx, cy), tint, darker(tint, 0.08))])
