"""What the page about votes that do not count shows: the ledger, and what the boards would say with every vote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection

from arena.integrity import ledger, rules
from arena.integrity.ledger import Ledger
from arena.models import Category
from leaderboard.board import pair_counts, pair_key
from leaderboard.charts import days
from leaderboard.rating import elo
from providers.models import ImageModel

HEIGHT = 120  # of the chart of weeks, pixels
COLOURS = 8
COLUMNS = ("week", "category", "rule", "reason", "votes", "share_of_cast")

_EXCLUDED = pair_counts.PACKED.format(
    pair_key.SQL,
    "count(*) AS n FROM arena_vote "
    "WHERE category_id = %s AND excluded_reason <> '' AND left_model_id <> right_model_id",
)


@dataclass(frozen=True)
class WeekBar:
    """Votes of one rule in one week, to be drawn."""

    y: float
    height: float
    colour: int


@dataclass(frozen=True)
class Week:
    label: str  # its Monday, with the month where that is a new one
    total: int
    bars: list[WeekBar]


@dataclass(frozen=True)
class Difference:
    """What would change if every vote counted: the model that would move most, by how many Elo."""

    model: str
    elo: float
    is_same_first: bool


@dataclass(frozen=True)
class CategoryRow:
    category: Category
    cast: int
    counted: int
    difference: Difference | None
    shares: list[tuple[str, float]]  # of the votes that count, in which a model appeared

    @property
    def left_out(self) -> int:
        return self.cast - self.counted


def weeks(current: Ledger) -> list[Week]:
    """Votes left out by week, stacked in the order of the reasons."""
    totals = [sum(reason.weeks[at] for reason in current.reasons) for at in range(len(current.weeks))]
    most = max(totals, default=0)
    columns = []
    for at in range(len(current.weeks)):
        y, bars = float(HEIGHT), []
        for colour, reason in enumerate(current.reasons):
            if reason.weeks[at]:
                height = HEIGHT * reason.weeks[at] / most
                y -= height
                bars.append(WeekBar(y, height, colour % COLOURS))
        columns.append(Week(_label(current.weeks, at), totals[at], bars))
    return columns


def _label(mondays: list[date], at: int) -> str:
    monday = mondays[at]
    is_new_month = at == 0 or mondays[at - 1].month != monday.month
    return days.short(monday) if is_new_month else str(monday.day)


def reasons(current: Ledger) -> list[tuple[ledger.Reason, int]]:
    """Each with its colour in the chart."""
    return [(reason, at % COLOURS) for at, reason in enumerate(current.reasons)]


def categories(current: Ledger) -> list[CategoryRow]:
    return [
        CategoryRow(category, cast, counted, _difference(category), _shares(category))
        for category, cast, counted in ledger.by_category(current)
    ]


def _difference(category: Category) -> Difference | None:
    """None when all votes count, or there is nothing to rate."""
    counted = pair_counts.counts(category)
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDED, [category.pk])
        excluded = pair_counts.Counts.unpack(cursor.fetchone())
    if not excluded.total or not counted.total:
        return None
    fit, other = elo.fit(counted.cells()), elo.fit(_added(counted, excluded).cells())
    known = dict(zip(other.models, other.elo.tolist(), strict=True))
    moves = {model: known[model] - value for model, value in zip(fit.models, fit.elo.tolist(), strict=True)}
    most = max(moves, key=lambda model: abs(moves[model]))
    first = fit.models[int(np.argmax(fit.elo))] == other.models[int(np.argmax(other.elo))]
    return Difference(ImageModel.objects.get(pk=int(most)).name, moves[most], first)


def _added(one: pair_counts.Counts, other: pair_counts.Counts) -> pair_counts.Counts:
    columns = ((counts.left, counts.right, counts.outcome, counts.n) for counts in (one, other))
    left, right, outcome, n = (np.concatenate(pair) for pair in zip(*columns, strict=True))
    key, place = np.unique((left * pair_key.SPREAD + right) * 4 + outcome, return_inverse=True)
    pair, code = np.divmod(key, 4)
    return pair_counts.Counts(*np.divmod(pair, pair_key.SPREAD), code, np.bincount(place, n).astype(np.int64))


def _shares(category: Category) -> list[tuple[str, float]]:
    """In which share of the votes that count each model appeared, the largest first."""
    counts = pair_counts.counts(category)
    if not counts.total:
        return []
    models = np.concatenate([counts.left, counts.right])
    ids, place = np.unique(models, return_inverse=True)
    votes = np.bincount(place, np.concatenate([counts.n, counts.n]))
    names = dict(ImageModel.objects.filter(pk__in=ids.tolist()).values_list("pk", "name"))
    rows = [(names[model], n / counts.total) for model, n in zip(ids.tolist(), votes.tolist(), strict=True)]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def rows(current: Ledger) -> Iterator[tuple[str, ...]]:
    """The ledger as a table without its header, by week, category and rule; rule "": the votes that count."""
    slugs = dict(Category.objects.values_list("pk", "slug"))
    for cell in current.cells:
        cast, _ = current.of_week(cell.week, cell.category)
        rule = rules.ALL.get(cell.rule)
        title = "counted" if not cell.rule else rule.title if rule else cell.rule
        yield (
            f"{cell.week}", slugs[cell.category], cell.rule, title, str(cell.votes), f"{cell.votes / cast:.6f}",
        )  # fmt: skip
