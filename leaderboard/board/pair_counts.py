"""Pair counts: reading them for the fit, and comparing them with the votes they came from."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import numpy as np
from django.db import connection
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from arena import integrity
from arena.models import Category, ImportedVote, Tally, Vote
from leaderboard.board import pair_key
from leaderboard.board.pair_key import OUTCOMES
from leaderboard.models import Board
from leaderboard.rating import elo
from leaderboard.rating.likelihood import Ints
from providers.connections.database import one_moment

log = logging.getLogger(__name__)

Cell = tuple[int, int, str, int]  # left model, right model, outcome, n
_SCORES = np.array([elo.SCORES[outcome] for outcome in OUTCOMES])
_BOTH_BAD = OUTCOMES.index("both_bad")
_TIES = [_BOTH_BAD, OUTCOMES.index("tie")]


@dataclass(frozen=True, slots=True)
class State:
    """How far a category's tallies have moved. Two equal states are the same tallies as far as a board can see."""

    votes: int
    changed_at: datetime | None


def state(category: Category, since: date | None = None) -> State:
    row = _of(category, since).aggregate(votes=Sum("n"), changed_at=Max("changed_at"))
    return State(row["votes"] or 0, row["changed_at"])


# Cells come in two strings of big-endian numbers: thousands of rows as Python tuples would take longer than the fit.
PACKED = """
SELECT string_agg(int8send(key), ''::bytea), string_agg(int8send(n), ''::bytea)
FROM (SELECT {} AS key, {} GROUP BY 1) cell WHERE n > 0
"""
_COUNTS = PACKED.format(
    pair_key.SQL,
    "sum(n) AS n FROM arena_tally WHERE category_id = %s AND (%s::date IS NULL OR day >= %s::date)",
)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who met whom and what came of it, in 16 bytes a pair: ids with `one` below `other`, votes, and twice the points
    that `one` got of them, a tie being half a point."""

    one: Any
    other: Any
    votes: Any
    doubled: Any

    def among(self, models: Sequence[int]) -> Iterator[tuple[int, int, int, float]]:
        """One model, the other, their votes, the points of the one: of the pairs between these models."""
        among_models = np.flatnonzero(np.isin(self.one, models) & np.isin(self.other, models))
        columns = (column[among_models].tolist() for column in (self.one, self.other, self.votes, self.doubled / 2))
        return zip(*columns, strict=True)


@dataclass(frozen=True, eq=False)
class Counts:
    """Ordered pair counts, sorted: ids of the left and the right model, outcome as an index into OUTCOMES, votes."""

    left: Ints
    right: Ints
    outcome: Ints
    n: Ints

    @classmethod
    def unpack(cls, row: tuple[bytes | None, bytes | None]) -> Self:
        """From what PACKED selects."""
        key, n = (np.frombuffer(packed or b"", ">i8").astype(np.int64) for packed in row)
        order = np.argsort(key)
        return cls(*pair_key.unpacked(key[order]), n[order])

    @classmethod
    def of(cls, keys: Ints) -> Self:
        """From one key (see `pair_key`) for every vote."""
        key, n = np.unique(keys, return_counts=True)
        return cls(*pair_key.unpacked(key), n)

    @property
    def total(self) -> int:
        return int(self.n.sum())

    @property
    def tied(self) -> int:
        """How many pleased neither side more."""
        return int(self.n[np.isin(self.outcome, _TIES)].sum())

    def rows(self) -> list[Cell]:
        names = [OUTCOMES[code] for code in self.outcome.tolist()]
        return list(zip(self.left.tolist(), self.right.tolist(), names, self.n.tolist(), strict=True))

    def cells(self) -> elo.Cells:
        """For the fit; models are named by their ids, in ascending order."""
        ids = np.union1d(self.left, self.right)
        return elo.Cells(
            tuple(map(str, ids.tolist())),
            np.searchsorted(ids, self.left),
            np.searchsorted(ids, self.right),
            _SCORES[self.outcome],
            self.n.astype(np.float64),
        )

    def pairs(self) -> Pairs:
        """By unordered pair, whichever model stood on the left."""
        turned = self.left > self.right
        one, other = np.where(turned, self.right, self.left), np.where(turned, self.left, self.right)
        score = np.where(turned, 1 - _SCORES[self.outcome], _SCORES[self.outcome])
        key, place = np.unique(one * pair_key.SPREAD + other, return_inverse=True)
        votes = np.bincount(place, self.n, key.size)
        points = np.bincount(place, self.n * score, key.size)
        one, other = np.divmod(key, pair_key.SPREAD)
        return Pairs(*(column.astype(np.uint32) for column in (one, other, votes, 2 * points)))

    def both_bad(self) -> Counter[int]:
        """Votes by model that found neither image good."""
        by_model: Counter[int] = Counter()
        for code, side in ((_BOTH_BAD, self.left), (_BOTH_BAD, self.right)):
            at = self.outcome == code
            for model, n in zip(side[at].tolist(), self.n[at].tolist(), strict=True):
                by_model[model] += n
        return by_model


def counts(category: Category, since: date | None = None) -> Counts:
    """The category's pair counts, over all days or those from `since` on."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [category.pk, since, since])
        return Counts.unpack(cursor.fetchone())


_OF_ONE = PACKED.format(pair_key.SQL, "sum(n) AS n FROM arena_tally WHERE category_id = wanted.category")
_COUNTS_BY_CATEGORY = f"""
SELECT found.* FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted (category, place)
CROSS JOIN LATERAL ({_OF_ONE}) AS found ORDER BY wanted.place
"""  # noqa: S608 – our own words


def counts_by_category(categories: Sequence[Category]) -> list[Counts]:
    """The same for several, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS_BY_CATEGORY, [[category.pk for category in categories]])
        return [Counts.unpack(row) for row in cursor.fetchall()]


def cells(category: Category, since: date | None = None) -> list[Cell]:
    """The same as rows: (left model id, right model id, outcome, n)."""
    return counts(category, since).rows()


def _of(category: Category, since: date | None) -> QuerySet[Tally]:
    rows = Tally.objects.filter(category=category)
    return rows if since is None else rows.filter(day__gte=since)


def differences(category: Category) -> dict[tuple[object, ...], tuple[int, int]]:
    """Cells in which the tallies and the votes disagree: {cell: (tallied, recounted)}. Empty is how it must be.

    By the day; where days may be rolled up, by the month, which its first day stands for.
    """
    key = ("day", "left_model", "right_model", "outcome")
    daily = integrity.first_daily(timezone.now().astimezone(UTC).date())
    recounted: Counter[tuple[object, ...]] = Counter()
    tallied: Counter[tuple[object, ...]] = Counter()
    here = (
        Vote.objects.counted()
        .filter(category=category)
        .exclude(left_model=F("right_model"))
        .annotate(day=TruncDate("cast_at"))
        .values_list(*key)
        .annotate(total=Count("*"))
    )
    imported = ImportedVote.objects.filter(file__category=category).values_list(*key).annotate(total=Count("*"))
    stored = Tally.objects.filter(category=category).values_list(*key, "n")
    with one_moment():  # a vote between two of the queries is no difference
        for rows, count in ((here, recounted), (imported, recounted), (stored, tallied)):
            for day, left, right, outcome, n in rows:
                count[day if day >= daily else day.replace(day=1), left, right, outcome] += n
    return {
        cell: (tallied[cell], recounted[cell])
        for cell in tallied.keys() | recounted.keys()
        if tallied[cell] != recounted[cell]
    }


def check(every: timedelta = timedelta(0)) -> int:
    """Recount the categories that were not for so long from their votes and compare, cell by cell.

    Returns how many cells differ. A difference is logged as an error, and the health pages say so until a recount finds
    none. Safe to ask at any time and as often as a clock likes: a recount reads, and notes when it did.
    """
    wrong = 0
    recent = Board.everything.filter(recounted_at__gt=timezone.now() - every)
    for category in Category.everything.exclude(pk__in=recent.values("category")):
        wrong_cells = differences(category)
        wrong += len(wrong_cells)
        Board.everything.filter(category=category).update(recounted_at=timezone.now(), tallies_wrong=len(wrong_cells))
        for cell, (tallied, recounted) in list(wrong_cells.items())[:10]:
            log.error("tally differs in %s %s: tallied %s, recounted %s", category.slug, cell, tallied, recounted)
    return wrong
