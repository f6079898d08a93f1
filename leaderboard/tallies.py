"""Pair counts: reading them for the fit, and comparing them with the votes they came from."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncDate

from arena.models import Category, ImportedVote, Tally, Vote

log = logging.getLogger(__name__)

Cell = tuple[int, int, str, int]  # left model, right model, outcome, n


@dataclass(frozen=True, slots=True)
class State:
    """How far a category's tallies have moved. Two equal states are the same tallies for all a board can tell."""

    votes: int
    changed_at: datetime | None


def state(category: Category, since: date | None = None) -> State:
    row = _of(category, since).aggregate(votes=Sum("n"), changed_at=Max("changed_at"))
    return State(row["votes"] or 0, row["changed_at"])


def cells(category: Category, since: date | None = None) -> list[Cell]:
    """The category's ordered pair counts, sorted: (left model id, right model id, outcome, n), over all days or those
    from `since` on."""
    return list(
        _of(category, since)
        .values_list("left_model", "right_model", "outcome")
        .annotate(total=Sum("n"))
        .filter(total__gt=0)
        .order_by("left_model", "right_model", "outcome")
    )


def _of(category: Category, since: date | None) -> QuerySet[Tally]:
    rows = Tally.objects.filter(category=category)
    return rows if since is None else rows.filter(day__gte=since)


def differences(category: Category) -> dict[tuple[object, ...], tuple[int, int]]:
    """Cells in which the tallies and the votes disagree: {cell: (tallied, recounted)}. Empty is how it must be."""
    key = ("day", "left_model", "right_model", "outcome")
    recounted: Counter[tuple[object, ...]] = Counter()
    for day, left, right, outcome, n in (
        Vote.objects.counted()
        .filter(category=category)
        .exclude(left_model=F("right_model"))
        .annotate(day=TruncDate("cast_at"))
        .values_list(*key)
        .annotate(total=Count("*"))
    ):
        recounted[day, left, right, outcome] += n
    for day, left, right, outcome, n in (
        ImportedVote.objects.filter(file__category=category).values_list(*key).annotate(total=Count("*"))
    ):
        recounted[day, left, right, outcome] += n
    tallied = {row[:4]: row[4] for row in Tally.objects.filter(category=category).values_list(*key, "n")}
    return {
        cell: (tallied.get(cell, 0), recounted[cell])
        for cell in tallied.keys() | recounted.keys()
        if tallied.get(cell, 0) != recounted[cell]
    }


def check() -> int:
    """Recount every category from its votes and compare, cell by cell; a difference is logged as an error."""
    wrong = 0
    for category in Category.objects.all():
        found = differences(category)
        wrong += len(found)
        for cell, (tallied, recounted) in list(found.items())[:10]:
            log.error("tally differs in %s %s: tallied %s, recounted %s", category.slug, cell, tallied, recounted)
    return wrong
