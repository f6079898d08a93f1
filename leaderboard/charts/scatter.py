"""Elo against cost or speed: up and to the left is better.

Every model is a link with its interval as a vertical bar; the dashed line joins the models that no other beats on both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from providers.web.sentence import sentence, sentences

from . import labels, ticks
from .frames import WIDE, Box, Frame, Tick, number, polyline
from .labels import Label

Kind = Literal["current", "front", "other", "provisional"]

RADIUS, HIT = 4.5, 12.0  # of a mark, and of the circle that takes the pointer


@dataclass(frozen=True, slots=True)
class Axis:
    """What x means. Values are above 0; less is better."""

    title: str
    write: Callable[[float], str]
    short: str = "value"


COST = Axis(sentence("Cost per image (USD, log scale)"), ticks.dollars, sentence("price"))
SPEED = Axis(sentence("Median seconds per image (log scale)"), ticks.seconds, sentence("time"))


@dataclass(frozen=True, slots=True)
class Point:
    """A model: what it costs or takes, its Elo, and the interval where that has ends."""

    name: str
    url: str
    x: float
    elo: float
    lower: float
    upper: float
    note: str = ""  # goes into the tooltip: "sample", "estimated price"
    provisional: bool = False
    current: bool = False  # the model whose page this is


@dataclass(frozen=True, slots=True)
class Dot:
    """A point as drawn."""

    kind: Kind
    x: float
    y: float
    radius: float
    url: str
    title: str
    label: Label | None

    @property
    def move(self) -> str:
        """The transform that takes the origin here: as one text it costs a template a fraction of four numbers."""
        return f"translate({number(self.x)} {number(self.y)})"

    @property
    def shift(self) -> str:
        """From here to where the label's text begins, ends or has its middle."""
        return f"translate({number(self.label.x - self.x)} {number(self.label.y - self.y)})" if self.label else ""


@dataclass(frozen=True, slots=True)
class Bars:
    """The intervals of one kind of mark, as one path."""

    kind: Kind
    path: str


@dataclass(frozen=True, slots=True)
class Scatter:
    frame: Frame
    plot: Box
    axis: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    front: str  # path data, empty with fewer than two models on it
    bars: tuple[Bars, ...]
    dots: tuple[Dot, ...]  # in the order of painting: the current model is last, on top
    summary: str
    cuts: str = ""  # path data: a triangle where an interval goes on beyond the plot
    strip: str = ""  # path data: models without a rating, on the x axis alone
    marker: float | None = None  # x of the model that the chart is about, if that is one of them
    marker_title: str = ""

    @property
    def kinds(self) -> set[Kind]:
        """Which marks it has: a legend explains no others."""
        return {dot.kind for dot in self.dots}

    @property
    def unnamed(self) -> int:
        """Marks whose name had no place and stands in the tooltip and the table only."""
        return sum(dot.label is None for dot in self.dots)

    @property
    def marker_is_right(self) -> bool:
        """Whether the marker's name has to stand on its left."""
        return self.marker is not None and self.marker > self.middle

    @property
    def middle(self) -> float:
        return round((self.plot.left + self.plot.right) / 2, 1)


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the (cost, Elo) pairs that no other beats: cheaper or equal and better or equal, not both equal.

    Sorted by cost. Equal points all stay.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    front: list[int] = []
    best, at = -math.inf, math.inf
    for index in order:
        x, y = points[index]
        if y > best or (y == best and x == at):
            front.append(index)
            best, at = y, x
    return front


@dataclass(frozen=True, slots=True)
class Unrated:
    """Models that have an x and no Elo; `current` is the x of the one whose page this is."""

    values: tuple[float, ...] = ()
    current: float | None = None
    name: str = ""


def scatter(
    points: Sequence[Point], axis: Axis = COST, frame: Frame = WIDE, unrated: Unrated = Unrated()
) -> Scatter | None:
    """The chart in one frame; None without any point.

    The dashed line joins only models whose ratings are settled. Of the unrated, those within the axis are drawn.
    """
    if not points:
        return None
    if any(not (math.isfinite(p.x) and p.x > 0 and math.isfinite(p.elo)) for p in points):
        raise ValueError("a scatter needs finite Elo and finite x above 0")
    plot = frame.plot
    current = [] if unrated.current is None else [unrated.current]
    x_of, x_ticks = _x_axis([*(p.x for p in points), *current], axis, frame)
    y_of, y_ticks = _y_axis(points, frame)
    settled = [index for index, point in enumerate(points) if not point.provisional]
    on_front = [settled[index] for index in pareto([(points[i].x, points[i].elo) for i in settled])]
    places = [(x_of(p.x), y_of(p.elo)) for p in points]
    kinds = [_kind(point, index in set(on_front)) for index, point in enumerate(points)]
    front = _staircase([places[index] for index in on_front])
    requested = [
        labels.Wanted(x, y, _radius(kind), point.name, bold=point.current)
        for point, kind, (x, y) in zip(points, kinds, places, strict=True)
    ]
    order = sorted(
        range(len(points)),
        key=lambda i: (not points[i].current, kinds[i] != "front", kinds[i] == "provisional", -points[i].elo, i),
    )
    lines = [_thin(a, b) for a, b in pairwise(front)]
    around = Box(plot.left + 2, 2, frame.width - 2, plot.bottom - 1)
    names = labels.place(requested, order, around, frame.letters, lines)
    dots = [
        Dot(kind, round(x, 1), round(y, 1), _radius(kind), p.url, _title(p, axis), name)
        for p, kind, (x, y), name in zip(points, kinds, places, names, strict=True)
    ]
    dots.sort(key=lambda dot: (dot.kind == "current", dot.x, dot.y, dot.url))
    return Scatter(
        frame=frame,
        plot=plot,
        axis=axis.title,
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        front=polyline(front) if len(front) > 1 else "",
        bars=_bars(points, kinds, places, y_of, plot),
        dots=tuple(dots),
        summary=_summary(points, axis),
        cuts=_cuts(points, places, y_of, plot),
        strip="".join(
            f"M{number(x)} {number(plot.bottom - 9)}v9"
            for x in sorted({round(x_of(value), 1) for value in unrated.values})
            if plot.left <= x <= plot.right
        ),
        marker=None if unrated.current is None else round(x_of(unrated.current), 1),
        marker_title=""
        if unrated.current is None
        else sentence("%(name)s: %(x)s, not rated", name=unrated.name, x=axis.write(unrated.current)),
    )


def _kind(point: Point, on_front: bool) -> Kind:
    if point.current:
        return "current"
    if point.provisional:
        return "provisional"
    return "front" if on_front else "other"


def _radius(kind: Kind) -> float:
    return RADIUS + 1.5 if kind == "current" else RADIUS


def _title(point: Point, axis: Axis) -> str:
    bounded = math.isfinite(point.upper - point.lower)
    interval = f"{point.lower:.0f}–{point.upper:.0f}" if bounded else sentence("interval has no bounds")
    values = {"name": point.name, "elo": f"{point.elo:.0f}", "interval": interval, "x": axis.write(point.x)}
    title: str = sentence("%(name)s: Elo %(elo)s (%(interval)s), %(x)s", **values)
    for note in (point.note, sentence("provisional") if point.provisional else ""):
        title = sentence("%(title)s, %(note)s", title=title, note=note) if note else title
    return title


def _summary(points: Sequence[Point], axis: Axis) -> str:
    best, least = max(points, key=lambda p: p.elo), min(points, key=lambda p: p.x)
    values = {
        "models": len(points),
        "best": best.name,
        "best_elo": f"{best.elo:.0f}",
        "best_x": axis.write(best.x),
        "least": least.name,
        "least_elo": f"{least.elo:.0f}",
        "least_x": axis.write(least.x),
    }
    return sentences(
        "%(models)s model. Highest Elo: %(best)s, %(best_elo)s at %(best_x)s. "
        "Least on the x axis: %(least)s, %(least_x)s with Elo %(least_elo)s.",
        "%(models)s models. Highest Elo: %(best)s, %(best_elo)s at %(best_x)s. "
        "Least on the x axis: %(least)s, %(least_x)s with Elo %(least_elo)s.",
        len(points),
        **values,
    )


def _x_axis(values: Sequence[float], axis: Axis, frame: Frame) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    plot = frame.plot
    low, high = math.log(min(values)), math.log(max(values))
    spare = max((high - low) * 0.06, 0.35)  # a single price stands in the middle of an axis, not on its end
    low, high = low - spare, high + spare

    def place(value: float) -> float:
        return plot.left + (math.log(value) - low) / (high - low) * plot.width

    def written(numbers: Sequence[float]) -> list[tuple[float, str]]:
        return [(place(value), axis.write(value)) for value in numbers]

    def fits(numbers: Sequence[float]) -> bool:
        words = written(numbers)
        return len({text for _, text in words}) == len(words) and ticks.apart(words, frame.letters)

    values = ticks.logarithmic(math.exp(low), math.exp(high), fits)
    half = frame.letters * 2
    return place, ticks.ticks((at, words) for at, words in written(values) if at <= frame.width - half)


def _y_axis(points: Sequence[Point], frame: Frame) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    plot = frame.plot
    low, high = min(p.elo for p in points), max(p.elo for p in points)
    span = max(high - low, 50.0)
    reach = span * 0.35  # how far intervals may stretch the axis: a few wide ones must not flatten all others
    ends = [end for p in points for end in (p.lower, p.upper) if math.isfinite(end)]
    low, high = (
        min(low - span * 0.06, max(min(ends, default=low), low - reach)),
        max(high + span * 0.06, min(max(ends, default=high), high + reach)),
    )

    def place(elo: float) -> float:
        return plot.bottom - (elo - low) / (high - low) * plot.height

    return place, ticks.ticks((place(v), f"{v:g}") for v in ticks.linear(low, high, max(3, int(plot.height / 55))))


def _staircase(front: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What can be had for at most x: level to the next model, then up to it."""
    corners: list[tuple[float, float]] = []
    for x, y in front:
        if corners and corners[-1] != (x, y):
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return list(dict.fromkeys(corners))


def _thin(a: tuple[float, float], b: tuple[float, float]) -> Box:
    return Box(min(a[0], b[0]) - 0.5, min(a[1], b[1]) - 0.5, max(a[0], b[0]) + 0.5, max(a[1], b[1]) + 0.5)


def _bars(
    points: Sequence[Point],
    kinds: Sequence[Kind],
    places: Sequence[tuple[float, float]],
    y_of: Callable[[float], float],
    plot: Box,
) -> tuple[Bars, ...]:
    """One path per kind: an element for each interval would double the size of the picture."""
    paths: dict[Kind, list[str]] = {}
    for point, kind, (x, _) in zip(points, kinds, places, strict=True):
        if math.isfinite(point.upper - point.lower):
            top, bottom = (min(max(y_of(end), plot.top), plot.bottom) for end in (point.upper, point.lower))
            paths.setdefault(kind, []).append(f"M{number(x)} {number(top)}V{number(bottom)}")
    order: tuple[Kind, ...] = ("provisional", "other", "front", "current")
    return tuple(Bars(kind, "".join(paths[kind])) for kind in order if kind in paths)


def _cuts(
    points: Sequence[Point], places: Sequence[tuple[float, float]], y_of: Callable[[float], float], plot: Box
) -> str:
    """Triangles at the edges of the plot, pointing to where an interval ends outside."""
    paths = []
    for point, (x, _) in zip(points, places, strict=True):
        if not math.isfinite(point.upper - point.lower):
            continue
        if y_of(point.upper) < plot.top - 0.5:
            paths.append(f"M{number(x - 4)} {number(plot.top)}h8l-4 -6z")
        if y_of(point.lower) > plot.bottom + 0.5:
            paths.append(f"M{number(x - 4)} {number(plot.bottom)}h8l-4 6z")
    return "".join(paths)
