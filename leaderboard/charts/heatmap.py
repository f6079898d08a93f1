"""Head-to-head shares as a table whose cells wear one of 21 step classes: read by eye, by number, by screen reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from providers.web.sentence import sentence, sentences

FEW = 10  # votes: below, a share is drawn pale, for one vote makes a hundred per cent
STEPS = 20  # .q0 … .q20 in static/css/charts.css: 0 %, 5 %, … 100 %


@dataclass(frozen=True, slots=True)
class Side:
    """A model as row and as column."""

    key: int
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the row's model got out of its votes against the column's."""

    share: float  # of the votes, a tie being half
    votes: int


@dataclass(frozen=True, slots=True)
class Cell:
    step: int | None  # None: nothing to colour
    text: str
    title: str
    same: bool = False  # a model against itself
    few: bool = False


@dataclass(frozen=True, slots=True)
class HeatmapLine:
    side: Side
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Heatmap:
    columns: tuple[Side, ...]
    lines: tuple[HeatmapLine, ...]


def heatmap(sides: Sequence[Side], meetings: Mapping[tuple[int, int], Meeting]) -> Heatmap:
    """`meetings` by (row's key, column's key); pairs that never met stay empty instead of saying 0 or 50."""
    return Heatmap(
        tuple(sides), tuple(HeatmapLine(row, tuple(_cell(row, column, meetings) for column in sides)) for row in sides)
    )


def step_of(share: float) -> int:
    """The shade of a share of 0 to 1: 0 to STEPS."""
    return min(STEPS, max(0, round(share * STEPS)))


def _cell(row: Side, column: Side, meetings: Mapping[tuple[int, int], Meeting]) -> Cell:
    if row.key == column.key:
        return Cell(None, "", "", same=True)
    met = meetings.get((row.key, column.key))
    if met is None or not met.votes:
        unmet = sentence("%(row)s and %(column)s have not met", row=row.name, column=column.name)
        return Cell(None, "–", unmet)
    words = f"{met.share * 100:.0f}"
    title = sentences(
        "%(row)s gets %(share)s%% of %(votes)s vote against %(column)s",
        "%(row)s gets %(share)s%% of %(votes)s votes against %(column)s",
        met.votes, row=row.name, share=words, votes=met.votes, column=column.name,
    )  # fmt: skip
    return Cell(step_of(met.share), words, title, few=met.votes < FEW)
