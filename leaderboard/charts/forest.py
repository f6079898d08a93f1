"""Intervals of some models under each other: which of them overlap is what the chart shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.web.sentence import sentence

from . import text, ticks
from .frames import NARROW, WIDE, Box, Frame, Tick

ROW = 2.2  # height of a row, in letters


@dataclass(frozen=True, slots=True)
class ForestRow:
    name: str
    url: str
    elo: float
    lower: float
    upper: float
    provisional: bool = False
    current: bool = False


@dataclass(frozen=True, slots=True)
class Whisker:
    kind: str
    name: str
    url: str
    title: str
    y: float
    point: float
    start: float
    end: float
    open_left: bool  # the interval goes on beyond the picture, perhaps without end
    open_right: bool


@dataclass(frozen=True, slots=True)
class Forest:
    frame: Frame
    plot: Box
    x_ticks: tuple[Tick, ...]
    whiskers: tuple[Whisker, ...]


def forest(rows: Sequence[ForestRow], frame: Frame = WIDE) -> Forest | None:
    """Rows in the given order; None without rows. The height follows their number."""
    if not rows:
        return None
    letters = frame.letters
    names = [text.shortened(row.name, letters, frame.width * 0.36, row.current) for row in rows]
    left = max(text.width(name, letters, bold=True) for name in names) + letters * 1.5
    top = round(letters * 0.6, 1)
    frame = Frame(frame.name, frame.width, round(top + len(rows) * ROW * letters + letters * 2.6, 1), letters)
    right, bottom = frame.width - letters * 1.5, top + len(rows) * ROW * letters
    plot = Box(round(left, 1), top, round(right, 1), round(bottom, 1))
    x_of, x_ticks = _axis(rows, plot, letters)
    whiskers = tuple(
        _whisker(row, name, x_of, plot, plot.top + (index + 0.5) * ROW * letters)
        for index, (row, name) in enumerate(zip(rows, names, strict=True))
    )
    return Forest(frame, plot, x_ticks, whiskers)


def _whisker(row: ForestRow, name: str, x_of: Callable[[float], float], plot: Box, y: float) -> Whisker:
    start = max(x_of(row.lower), plot.left) if math.isfinite(row.lower) else plot.left
    end = min(x_of(row.upper), plot.right) if math.isfinite(row.upper) else plot.right
    bounded = math.isfinite(row.upper - row.lower)
    interval = f"{row.lower:.0f}–{row.upper:.0f}" if bounded else sentence("interval has no bounds")
    return Whisker(
        kind="current" if row.current else "provisional" if row.provisional else "other",
        name=name,
        url=row.url,
        title=sentence("%(name)s: Elo %(elo)s (%(interval)s)", name=row.name, elo=f"{row.elo:.0f}", interval=interval),
        y=round(y, 1),
        point=round(x_of(row.elo), 1),
        start=round(start, 1),
        end=round(end, 1),
        open_left=not math.isfinite(row.lower) or x_of(row.lower) < plot.left - 0.5,
        open_right=not math.isfinite(row.upper) or x_of(row.upper) > plot.right + 0.5,
    )


def _axis(rows: Sequence[ForestRow], plot: Box, letters: float) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    low, high = min(row.elo for row in rows), max(row.elo for row in rows)
    reach = max(high - low, 50.0)
    low = min(low - 10, max(min((r.lower for r in rows if math.isfinite(r.lower)), default=low), low - reach))
    high = max(high + 10, min(max((r.upper for r in rows if math.isfinite(r.upper)), default=high), high + reach))

    def place(elo: float) -> float:
        return plot.left + (elo - low) / (high - low) * plot.width

    values = ticks.linear(low, high, max(2, int(plot.width / (letters * 6))))
    return place, ticks.ticks((place(value), f"{value:g}") for value in values)


__all__ = ["NARROW", "WIDE", "Forest", "ForestRow", "Whisker", "forest"]
