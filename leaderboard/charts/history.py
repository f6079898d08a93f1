"""Elo over time, each model a line inside the band of its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.web.sentence import sentence

from . import days, text, ticks
from .frames import WIDE, Box, Frame, Tick, polyline

HEIGHTS = {"wide": 300.0, "narrow": 260.0}
HUES = 4  # the colours of static/css/charts.css: more lines than that cannot be distinguished


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    elo: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    moments: Sequence[Moment]  # oldest first


@dataclass(frozen=True, slots=True)
class HistoryLine:
    hue: int
    name: str
    label: str
    label_y: float
    path: str
    band: str
    end: tuple[float, float]
    title: str


@dataclass(frozen=True, slots=True)
class History:
    frame: Frame
    plot: Box
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[HistoryLine, ...]


def history(series: Sequence[Series], frame: Frame = WIDE) -> History | None:
    """The chart; None unless some model has two moments, for a point is no history."""
    shown = [one_line for one_line in series if len(one_line.moments) > 1][:HUES]
    if not shown:
        return None
    frame, letters = Frame(frame.name, frame.width, HEIGHTS[frame.name], frame.letters), frame.letters
    names = [text.shortened(one_line.name, letters, frame.width * 0.26, bold=True) for one_line in shown]
    room = max(text.width(name, letters, bold=True) for name in names) + letters if len(shown) > 1 else letters
    right, bottom = frame.width - room - letters * 0.6, frame.height - letters * 2.4
    plot = Box(frame.plot.left, round(letters * 1.4, 1), round(right, 1), round(bottom, 1))
    moments = [moment for one_line in shown for moment in one_line.moments]
    x_of, x_ticks = _days([moment.at for moment in moments], plot, letters)
    y_of, y_ticks = _elos(moments, plot)
    ends = _spread([y_of(one_line.moments[-1].elo) for one_line in shown], letters * 1.25, plot)
    lines = tuple(
        _line(hue, one_line, name if len(shown) > 1 else "", end, x_of, y_of, plot)
        for hue, (one_line, name, end) in enumerate(zip(shown, names, ends, strict=True))
    )
    return History(frame, plot, x_ticks, y_ticks, lines)


def _line(
    hue: int,
    series: Series,
    label: str,
    label_y: float,
    x_of: Callable[[datetime], float],
    y_of: Callable[[float], float],
    plot: Box,
) -> HistoryLine:
    def inside(elo: float, otherwise: float) -> float:
        return min(max(y_of(elo) if math.isfinite(elo) else otherwise, plot.top), plot.bottom)

    points = [(x_of(moment.at), y_of(moment.elo)) for moment in series.moments]
    upper = [(x_of(moment.at), inside(moment.upper, plot.top)) for moment in series.moments]
    lower = [(x_of(moment.at), inside(moment.lower, plot.bottom)) for moment in series.moments]
    first, last = series.moments[0], series.moments[-1]
    moved = sentence(
        "%(name)s: Elo %(first)s on %(first_day)s, %(last)s on %(last_day)s",
        name=series.name, first=f"{first.elo:.0f}", first_day=days.full(first.at),
        last=f"{last.elo:.0f}", last_day=days.full(last.at),
    )  # fmt: skip
    x, y = points[-1]
    return HistoryLine(
        hue,
        series.name,
        label,
        round(label_y, 1),
        polyline(points),
        polyline([*upper, *reversed(lower)]) + "Z",
        (round(x, 1), round(y, 1)),
        moved,
    )


def _days(times: Sequence[datetime], plot: Box, letters: float) -> tuple[Callable[[datetime], float], tuple[Tick, ...]]:
    first, last = min(times), max(times)
    span = max((last - first).total_seconds(), 1.0)

    def place(at: datetime) -> float:
        return plot.left + (at - first).total_seconds() / span * plot.width

    length = span / 86400  # days
    write = days.hour if length < 2 else days.short if length < 300 else days.month
    count = max(2, int(plot.width / (letters * 7)))
    labelled: list[tuple[float, str]] = []
    for k in range(count):
        at = first + (last - first) * k / (count - 1)
        words = write(at)
        half = text.width(words, letters) / 2
        centre = min(max(place(at), plot.left + half - letters), plot.right - half + letters)
        if not labelled or (labelled[-1][1] != words and ticks.apart([labelled[-1], (centre, words)], letters)):
            labelled.append((centre, words))
    return place, ticks.ticks(labelled)


def _elos(moments: Sequence[Moment], plot: Box) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    low, high = min(m.elo for m in moments), max(m.elo for m in moments)
    span = max(high - low, 40.0)
    # The band may take most of the height, but the unbounded or huge intervals of the first votes may not take all.
    lowers = sorted(max(m.lower, low - 3 * span) for m in moments)
    uppers = sorted(min(m.upper, high + 3 * span) for m in moments)
    low, high = (
        min(low, lowers[len(lowers) // 10]) - span * 0.05,
        max(high, uppers[-1 - len(uppers) // 10]) + span * 0.05,
    )

    def place(elo: float) -> float:
        return plot.bottom - (elo - low) / (high - low) * plot.height

    return place, ticks.ticks((place(v), f"{v:g}") for v in ticks.linear(low, high, max(3, int(plot.height / 45))))


def _spread(places: Sequence[float], apart: float, plot: Box) -> list[float]:
    """The same places, moved as little as it takes to stand `apart` from each other, inside the plot where they fit."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    spread = list(places)
    end = -math.inf
    for index in order:
        spread[index] = max(spread[index], end + apart)
        end = spread[index]
    over = max(0.0, end - plot.bottom)
    for index in reversed(order):
        if not over:
            break
        spread[index] -= over
        below = [spread[other] for other in order if spread[other] < spread[index]]
        over = max(0.0, max(below, default=-math.inf) + apart - spread[index])
    return spread
