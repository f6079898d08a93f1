"""Parts of an infographic."""

from __future__ import annotations

import numpy as np

from providers.samples.renderer.colour import Palette, darker, lighter, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.shapes import Shape, ellipse, many, one, pts, rect, ribbon, rounded, smooth


def chart(pal: Palette, rng: Rng, x0: float, y0: float, x1: float, y1: float) -> list[Shape]:
    """Bars on an axis, a line over them."""
    ink, n = pal.near, 6
    heights = np.sort(rng.uniform(0.25, 0.95, n)) * (y1 - y0)
    step = (x1 - x0) / n
    bars = [
        rounded(x0 + k * step + step * 0.18, y1 - heights[k], x0 + (k + 1) * step - step * 0.18, y1, 0.01)
        for k in range(n)
    ]
    knots = [(x0 + (k + 0.5) * step, y1 - heights[k] - 0.03) for k in range(n)]
    return [
        many(
            [rect(x0, y1 - v * (y1 - y0), x1, y1 - v * (y1 - y0) + 0.002) for v in (0.25, 0.5, 0.75, 1.0)],
            ink,
            alpha=0.15,
            detail=True,
        ),
        many(bars[: n // 2], pal.mid, darker(pal.mid, 0.15)),
        many(bars[n // 2 :], pal.accent, darker(pal.accent, 0.15)),
        one(ribbon(knots, 0.008), ink),
        many([ellipse(x, y, 0.012) for x, y in knots], pal.accent2),
        one(rect(x0, y1, x1, y1 + 0.005), ink),
    ]


def icon(kind: int, pal: Palette) -> list[Shape]:
    """Small pictures for diagrams: sprout, fire, mill, cup – then again."""
    ink = pal.near
    if kind % 4 == 0:
        leaf = smooth([(0, 0.05), (0.12, -0.22), (0.34, -0.26), (0.28, -0.02), (0.06, 0.1)])
        return [
            one(ribbon([(0, 0.42), (0.0, 0.2), (0.0, 0.02)], 0.05), darker(pal.mid, 0.2)),
            one(leaf, lighter(pal.mid, 0.1), pal.mid, volume=0.6),
            one(leaf * (-1, 1) + (0, 0.08), pal.mid, darker(pal.mid, 0.2), volume=0.6),
            one(ribbon([(-0.3, 0.42), (0.3, 0.42)], 0.05), rgb("8a5a34")),
        ]
    if kind % 4 == 1:
        outer = smooth(
            [
                (0, -0.42),
                (0.14, -0.16),
                (0.27, 0.02),
                (0.26, 0.26),
                (0.1, 0.4),
                (-0.12, 0.4),
                (-0.27, 0.24),
                (-0.22, 0.0),
                (-0.1, -0.08),
            ]
        )
        return [
            one(outer, pal.accent, darker(pal.accent, 0.1), volume=0.5),
            one(outer * (0.55, 0.55) + (0.0, 0.17), pal.accent2, volume=0.3),
        ]
    if kind % 4 == 2:
        return [
            one(pts((-0.24, -0.12), (0.24, -0.12), (0.1, 0.12), (-0.1, 0.12)), pal.mid, darker(pal.mid, 0.2)),
            one(rounded(-0.24, 0.12, 0.24, 0.42, 0.04), rgb("a8693c"), rgb("7a4524"), volume=0.6),
            one(rect(-0.12, 0.22, 0.12, 0.34), darker(rgb("7a4524"), 0.3)),
            one(ribbon([(0, -0.12), (0, -0.3), (0.26, -0.34)], 0.04), ink),
            one(ellipse(0.28, -0.34, 0.06), pal.accent),
        ]
    cup = smooth([(-0.26, -0.1), (-0.22, 0.2), (-0.1, 0.34), (0.1, 0.34), (0.22, 0.2), (0.26, -0.1), (0, -0.08)])
    steam = [ribbon([(x, -0.16), (x + 0.05, -0.26), (x - 0.03, -0.34), (x + 0.02, -0.42)], 0.03) for x in (-0.1, 0.08)]
    return [
        one(ribbon([(0.22, -0.02), (0.38, 0.0), (0.34, 0.16), (0.19, 0.18)], 0.05), darker(pal.accent, 0.15)),
        one(cup, pal.accent, darker(pal.accent, 0.2), volume=0.7),
        one(ellipse(0, -0.1, 0.26, 0.06), rgb("5a2f16")),
        one(ellipse(0, 0.4, 0.34, 0.04), darker(pal.accent, 0.3)),
        many(steam, ink, alpha=0.5),
    ]
