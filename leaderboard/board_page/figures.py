"""A board as pictures: the intervals under each other, and who wins against whom. Of the rows that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard import charts
from leaderboard.board.head_to_head import PairRecord
from leaderboard.board.pair_counts import Pairs
from leaderboard.board_page.filters import BoardRow
from leaderboard.charts.forest import Forest
from leaderboard.charts.heatmap import Heatmap, Meeting, Side

INTERVALS = 30  # a longer picture is not seen at once, and the table has every interval
SIDES = 9  # of the head to head: their names still stand level over the columns


@dataclass(frozen=True, slots=True)
class Intervals:
    wide: Forest
    narrow: Forest
    drawn: int
    of: int


@dataclass(frozen=True, slots=True)
class Duels:
    """Head to head: `met` of the `pairs` in the table had votes."""

    chart: Heatmap
    drawn: int
    of: int
    met: int
    pairs: int
    votes: int


def intervals(rows: Sequence[BoardRow]) -> Intervals | None:
    """The first rows that have an interval; None with fewer than two, for one overlaps with nothing."""
    bounded = [row for row in rows if row.standing.half_width is not None]
    marks = [
        charts.ForestRow(
            row.name,
            row.standing.rating.image_model.get_absolute_url(),
            row.elo,
            row.standing.rating.lower,
            row.standing.rating.upper,
            provisional=row.status == "provisional",
        )
        for row in bounded[:INTERVALS]
    ]
    if len(marks) < 2:
        return None
    wide, narrow = charts.forest(marks, charts.WIDE), charts.forest(marks, charts.NARROW)
    assert wide
    assert narrow
    return Intervals(wide, narrow, len(marks), len(bounded))


def duels_from(pairs: Pairs, rows: Sequence[BoardRow]) -> Duels | None:
    """The first rows against each other, from the pair counts of a tag; None where none of them ever met."""
    met: dict[tuple[int, int], Meeting] = {}
    for one, other, votes, points in pairs.among(_sides(rows)):
        met[one, other] = Meeting(points / votes, votes)
        met[other, one] = Meeting(1 - points / votes, votes)
    return _drawn(rows, met)


def duels_of(records: Mapping[tuple[int, int], PairRecord], rows: Sequence[BoardRow]) -> Duels | None:
    """The same from the records of a stored board."""
    sides = _sides(rows)
    met = {
        (one, other): Meeting(record.share, record.votes)
        for one in sides
        for other in sides
        if one != other and (record := records.get((one, other))) is not None and record.share is not None
    }
    return _drawn(rows, met)


def _sides(rows: Sequence[BoardRow]) -> list[int]:
    return [row.standing.rating.image_model.pk for row in rows[:SIDES]]


def _drawn(rows: Sequence[BoardRow], met: Mapping[tuple[int, int], Meeting]) -> Duels | None:
    if not met:
        return None
    models = [row.standing.rating.image_model for row in rows[:SIDES]]
    chart = charts.heatmap([Side(model.pk, model.name, model.get_absolute_url()) for model in models], met)
    return Duels(
        chart,
        len(models),
        len(rows),
        len(met) // 2,
        len(models) * (len(models) - 1) // 2,
        sum(record.votes for record in met.values()) // 2,
    )
