"""The vocabulary of a scene: shapes on layers, in units where the picture's shorter side is 1.

A scene is data, not pixels, because eight models have to paint the same scene in eight ways: one cuts it from paper,
one chalks its outlines, one lets its lamps glow.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from providers.samples.renderer.colour import Colour, Palette

Points = NDArray[np.float64]
Pair = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """One or many polygons painted alike."""

    parts: tuple[Points, ...]
    fill: Colour
    fill2: Colour | None = None  # towards the bottom of the shape
    alpha: float = 1.0
    soft: float = 0.0  # blur of its edge, in units: fog, beams, shadows
    volume: float = 0.0  # how round it is, for looks that model light
    light: float = 0.0  # how much light it gives off
    grain: float = 0.0  # how rough its surface is
    detail: bool = False  # small stuff that simple looks leave out or do not outline


class Finish(TypedDict, total=False):
    """What `one` and `many` pass on to Shape."""

    alpha: float
    soft: float
    volume: float
    light: float
    grain: float
    detail: bool


@dataclass
class Layer:
    """Shapes at one distance: 0 is the horizon, 1 the foreground."""

    depth: float
    shapes: list[Shape] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """The picture's size in units; the shorter side is 1."""

    w: float
    h: float


@dataclass(frozen=True)
class Slot:
    """A place for words. `kind`: title, line, item, small, price, label, hand."""

    text: str
    box: tuple[float, float, float, float]
    kind: str
    colour: Colour
    align: str = "center"


@dataclass
class Scene:
    frame: Frame
    palette: Palette
    layers: list[Layer]
    slots: list[Slot] = field(default_factory=list)
    sun: tuple[float, float, float] | None = None  # where the light comes from: x, y, radius
    mood: str = ""
    handwritten: bool = False
    fiery: bool = False


def add(scene: Scene, depth: float, shapes: list[Shape]) -> None:
    """Draw these shapes as a layer of their own; depth 0 is the horizon, 1 the nearest."""
    scene.layers.append(Layer(depth, shapes))


def pts(*pairs: Pair) -> Points:
    return np.array(pairs, dtype=np.float64)


@functools.lru_cache(maxsize=32)
def _circle(n: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0.0, n: int = 56) -> Points:
    ring = _circle(n) * (rx, rx if ry is None else ry)
    return moved(rotated(ring, turn), x, y)


def rect(x0: float, y0: float, x1: float, y1: float) -> Points:
    return pts((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Points:
    r = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    quarter = np.linspace(0, np.pi / 2, 9)
    corners = [(x1 - r, y1 - r, 0.0), (x0 + r, y1 - r, 0.5), (x0 + r, y0 + r, 1.0), (x1 - r, y0 + r, 1.5)]
    arcs = [
        np.stack([cx + r * np.cos(quarter + k * np.pi), cy + r * np.sin(quarter + k * np.pi)], axis=1)
        for cx, cy, k in corners
    ]
    return np.concatenate(arcs)


def rotated(points: Points, turn: float) -> Points:
    if not turn:
        return points
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def moved(points: Points, x: float, y: float) -> Points:
    return np.asarray(points + np.array([x, y]))


def smooth(points: Sequence[Pair] | Points, per: int = 8, closed: bool = True) -> Points:
    """A Catmull-Rom curve through the points: the pencil every animal here was drawn with."""
    p = np.asarray(points, dtype=np.float64)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, per, endpoint=False)[None, :, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None, :] for k in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    run = curve.reshape(-1, 2)
    return run if closed else np.concatenate([run, p[-2:-1]])


def ribbon(points: Sequence[Pair] | Points, widths: float | Sequence[float], per: int = 8) -> Points:
    """A curve with a breadth that may change along the way: tails, stems, steam, arms."""
    line = smooth(points, per, closed=False)
    across = np.gradient(line, axis=0)
    across = np.stack([-across[:, 1], across[:, 0]], axis=1)
    across /= np.maximum(1e-9, np.linalg.norm(across, axis=1, keepdims=True))
    given = np.atleast_1d(np.asarray(widths, dtype=np.float64))
    breadth = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(given)), given)[:, None] / 2
    return np.concatenate([line + across * breadth, (line - across * breadth)[::-1]])


def star(x: float, y: float, outer: float, inner: float, spikes: int, turn: float = 0.0) -> Points:
    angle = np.arange(spikes * 2) * np.pi / spikes + turn
    radius = np.where(np.arange(spikes * 2) % 2 == 0, outer, inner)
    return np.stack([x + np.sin(angle) * radius, y - np.cos(angle) * radius], axis=1)


def wavy_line(w: float, rng: np.random.Generator, rough: float = 0.5, waves: float = 3.0, n: int = 160) -> Points:
    """x from a little left of the frame to a little right of it, y a fractal wave between -1 and 1."""
    x = np.linspace(-0.05, w + 0.05, n)
    y = np.zeros(n)
    size = 1.0
    for octave in range(6):
        y += size * np.sin(x * waves * 2**octave + rng.uniform(0, 6.28)) * rng.uniform(0.7, 1.0)
        size *= rough
    return np.stack([x, y / max(1e-9, np.abs(y).max())], axis=1)


def ridge(
    frame: Frame, y: float, height: float, rng: np.random.Generator, rough: float = 0.5, waves: float = 3.0
) -> Points:
    """Land: everything under a wavy line, down to the bottom of the picture."""
    line = wavy_line(frame.w, rng, rough, waves)
    line[:, 1] = y + line[:, 1] * height
    return np.concatenate([line, [[frame.w + 0.05, frame.h + 0.05], [-0.05, frame.h + 0.05]]])


def with_hole(outer: Points, inner: Points) -> Points:
    """A passe-partout: the outer outline with the inner one cut out, joined by a seam nobody sees."""
    return np.concatenate([outer, outer[:1], inner[::-1][-1:], inner[::-1], outer[:1]])


def placed(
    shapes: Iterable[Shape], x: float, y: float, scale: float, turn: float = 0.0, flip: bool = False
) -> list[Shape]:
    """Shapes drawn around (0, 0) moved to where they belong."""
    mirror = np.array([-scale if flip else scale, scale])
    return [
        replace(s, soft=s.soft * scale, parts=tuple(moved(rotated(p * mirror, turn), x, y) for p in s.parts))
        for s in shapes
    ]


def one(points: Points, fill: Colour, fill2: Colour | None = None, **more: Unpack[Finish]) -> Shape:
    return Shape((points,), fill, fill2, **more)


def many(parts: Iterable[Points], fill: Colour, fill2: Colour | None = None, **more: Unpack[Finish]) -> Shape:
    return Shape(tuple(parts), fill, fill2, **more)
