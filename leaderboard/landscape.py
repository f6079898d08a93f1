"""A board as pictures: Elo against what an image costs and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import charts
from .charts.scatter import Scatter
from .filters import Row


@dataclass(frozen=True, slots=True)
class Picture:
    """One scatter in both frames, its points for the table below, and in sentences what was left out."""

    wide: Scatter | None
    narrow: Scatter | None
    points: tuple[charts.Point, ...]
    notes: tuple[str, ...]
    axis: charts.Axis


@dataclass(frozen=True, slots=True)
class Landscape:
    cost: Picture
    speed: Picture


def of_rows(rows: Sequence[Row]) -> Landscape:
    """The landscape of the rows that a board shows."""
    return Landscape(
        _picture(
            rows, charts.COST, lambda row: None if row.price is None else float(row.price), "without pricing omitted"
        ),
        _picture(rows, charts.SPEED, lambda row: row.seconds, "waiting for enough speed data"),
    )


def _picture(rows: Sequence[Row], axis: charts.Axis, value: Callable[[Row], float | None], reason: str) -> Picture:
    points = []
    left_out = free = 0
    for row in rows:
        x, rating = value(row), row.standing.rating
        if x is None:
            left_out += 1
        elif x <= 0:
            free += 1
        else:
            points.append(
                charts.Point(
                    name=row.name,
                    url=rating.image_model.get_absolute_url(),
                    x=x,
                    elo=rating.elo,
                    lower=rating.lower,
                    upper=rating.upper,
                    note="sample" if rating.image_model.is_sample else "",
                    provisional=row.status == "provisional",
                )
            )
    notes = [
        f"{n} model{'s' if n > 1 else ''} {why}."
        for n, why in ((left_out, reason), (free, "free of charge omitted: a log scale has no zero"))
        if n
    ]
    return Picture(
        charts.scatter(points, axis, charts.WIDE) if points else None,
        charts.scatter(points, axis, charts.NARROW) if points else None,
        tuple(points),
        tuple(notes),
        axis,
    )
