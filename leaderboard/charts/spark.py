"""A small series without axes, such as a provider's median by day: its course, its last value, its extremes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.web.sentence import sentence

from .frames import polyline

WIDTH, HEIGHT = 240.0, 56.0
_EDGE = 5.0  # room for the dot at the end


@dataclass(frozen=True, slots=True)
class Spark:
    width: float
    height: float
    paths: tuple[str, ...]  # a gap in the data is a gap in the line
    fills: tuple[str, ...]
    single: tuple[tuple[float, float], ...]  # days with data between days without
    end: tuple[float, float]
    summary: str


def spark(
    values: Sequence[float | None],
    write: Callable[[float], str],
    *,
    low: float | None = None,
    high: float | None = None,
) -> Spark | None:
    """A line through the values, evenly spaced, None being a gap; None without any value.

    `low` and `high` fix the scale where it has natural ends, such as 0 and 1 of a rate.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    step = (WIDTH - 2 * _EDGE) / max(1, len(values) - 1)

    def place(index: int, value: float) -> tuple[float, float]:
        share = (value - bottom) / (top - bottom) if top > bottom else 0.5
        x = _EDGE + index * step if len(values) > 1 else WIDTH / 2
        return round(x, 1), round(HEIGHT - _EDGE - min(max(share, 0.0), 1.0) * (HEIGHT - 2 * _EDGE), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is not None:
            runs[-1].append(place(index, value))
        elif runs[-1]:
            runs.append([])
    runs = [run for run in runs if run]
    lines = [run for run in runs if len(run) > 1]
    return Spark(
        WIDTH,
        HEIGHT,
        tuple(polyline(run) for run in lines),
        tuple(polyline([(run[0][0], HEIGHT), *run, (run[-1][0], HEIGHT)]) + "Z" for run in lines),
        tuple(run[0] for run in runs if len(run) == 1),
        runs[-1][-1],
        sentence(
            "last %(last)s, lowest %(low)s, highest %(high)s",
            last=write(known[-1]),
            low=write(min(known)),
            high=write(max(known)),
        ),
    )
