"""A board as pictures: Elo against what an image costs and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leaderboard import charts
from leaderboard.board_page.filters import BoardRow
from leaderboard.charts.scatter import Scatter
from providers.accounts import is_simulated
from providers.models import ImageModel


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


@dataclass(frozen=True, slots=True)
class UnratedModels:
    """What models without a rating cost and take, and those of the model that the landscape is about."""

    prices: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    price: float | None = None
    time: float | None = None
    name: str = ""


def of_rows(
    rows: Sequence[BoardRow],
    current: int | None = None,
    frame: charts.Frame = charts.WIDE,
    unrated: UnratedModels = UnratedModels(),
) -> Landscape:
    """The landscape of the rows of a board, one of the models marked."""
    by_price = charts.Unrated(unrated.prices, unrated.price, unrated.name)
    by_time = charts.Unrated(unrated.seconds, unrated.time, unrated.name)
    return Landscape(
        _picture(rows, current, charts.COST, _price, _price_note, "without pricing omitted", frame, by_price),
        _picture(
            rows, current, charts.SPEED, lambda row: row.seconds, _speed_note, "waiting for enough speed data", frame,
            by_time,
        ),
    )  # fmt: skip


def _picture(
    rows: Sequence[BoardRow],
    current: int | None,
    axis: charts.Axis,
    value: Callable[[BoardRow], float | None],
    note: Callable[[BoardRow], str],
    reason: str,
    frame: charts.Frame,
    unrated: charts.Unrated,
) -> Picture:
    values = [value(row) for row in rows]
    known = [(row, x) for row, x in zip(rows, values, strict=True) if x]
    points = [_point(row, x, note(row), current) for row, x in known]
    omitted = ((values.count(None), reason), (values.count(0), "free of charge omitted: a log scale has no zero"))
    return Picture(
        charts.scatter(points, axis, frame, unrated),
        charts.scatter(points, axis, charts.NARROW, unrated),
        tuple(points),
        tuple(f"{n} model{'s' if n > 1 else ''} {why}." for n, why in omitted if n),
        axis,
    )


def _price(row: BoardRow) -> float | None:
    return None if row.price is None else float(row.price)


def _price_note(row: BoardRow) -> str:
    return "estimated price" if row.facts.is_estimated else ""


def _speed_note(row: BoardRow) -> str:
    """Whether the quickest seller is our own simulator."""
    quickest = (seller for seller in row.facts.sellers if seller.seconds == row.seconds)
    return "simulated" if any(is_simulated(seller.provider) for seller in quickest) else ""


def _point(row: BoardRow, x: float, note: str, current: int | None) -> charts.Point:
    rating = row.standing.rating
    model = rating.image_model
    origin = "sample" if model.is_sample else "imported" if model.origin == ImageModel.Origin.IMPORTED else ""
    return charts.Point(
        name=model.name,
        url=model.get_absolute_url(),
        x=x,
        elo=rating.elo,
        lower=rating.lower,
        upper=rating.upper,
        note=", ".join(filter(None, (origin, note))),
        provisional=row.status == "provisional",
        current=model.pk == current,
    )
