"""A board as pictures: Elo against what an image costs and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leaderboard import charts
from leaderboard.board_page.filters import BoardRow
from leaderboard.charts.scatter import Scatter
from providers.accounts import is_simulated
from providers.models import ImageModel
from providers.web.sentence import sentence, sentences


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
        _picture(rows, current, charts.COST, _price, _price_note, _unpriced, frame, by_price),
        _picture(
            rows, current, charts.SPEED, lambda row: row.seconds, _speed_note, _untimed, frame, by_time,
        ),
    )  # fmt: skip


def _picture(
    rows: Sequence[BoardRow],
    current: int | None,
    axis: charts.Axis,
    value: Callable[[BoardRow], float | None],
    note: Callable[[BoardRow], str],
    unknown: Callable[[int], str],
    frame: charts.Frame,
    unrated: charts.Unrated,
) -> Picture:
    # One rating without bounds would stretch the axis for all others; where none has any yet, all are drawn hollow.
    placed = [row for row in rows if row.standing.rating.is_placed] or rows
    values = [value(row) for row in placed]
    known = [(row, x) for row, x in zip(placed, values, strict=True) if x]
    points = [_point(row, x, note(row), current) for row, x in known]
    omitted = ((values.count(None), unknown), (values.count(0), _free), (len(rows) - len(placed), _unplaced))
    return Picture(
        charts.scatter(points, axis, frame, unrated),
        charts.scatter(points, axis, charts.NARROW, unrated),
        tuple(points),
        tuple(note(models) for models, note in omitted if models),
        axis,
    )


def _unpriced(models: int) -> str:
    return sentences(
        "%(models)s model without pricing omitted.", "%(models)s models without pricing omitted.",
        models, models=models,
    )  # fmt: skip


def _untimed(models: int) -> str:
    return sentences(
        "%(models)s model waiting for enough speed data.", "%(models)s models waiting for enough speed data.",
        models, models=models,
    )  # fmt: skip


def _free(models: int) -> str:
    return sentences(
        "%(models)s model free of charge omitted: a log scale has no zero.",
        "%(models)s models free of charge omitted: a log scale has no zero.",
        models, models=models,
    )  # fmt: skip


def _unplaced(models: int) -> str:
    return sentences(
        "%(models)s model without a place omitted.", "%(models)s models without a place omitted.",
        models, models=models,
    )  # fmt: skip


def _price(row: BoardRow) -> float | None:
    return None if row.price is None else float(row.price)


def _price_note(row: BoardRow) -> str:
    return sentence("estimated price") if row.facts.is_estimated else ""


def _speed_note(row: BoardRow) -> str:
    """Whether the quickest seller is our own simulator."""
    quickest = (seller for seller in row.facts.sellers if seller.seconds == row.seconds)
    return sentence("simulated") if any(is_simulated(seller.provider) for seller in quickest) else ""


def _point(row: BoardRow, x: float, note: str, current: int | None) -> charts.Point:
    rating = row.standing.rating
    model = rating.image_model
    is_imported = model.origin == ImageModel.Origin.IMPORTED
    origin = sentence("sample") if model.is_sample else sentence("imported") if is_imported else ""
    return charts.Point(
        name=model.name,
        url=model.get_absolute_url(),
        x=x,
        elo=rating.elo,
        lower=rating.lower,
        upper=rating.upper,
        note=sentence("%(title)s, %(note)s", title=origin, note=note) if origin and note else origin or note,
        provisional=row.status == "provisional",
        current=model.pk == current,
    )
