"""The pool a category's pairs are drawn from: its current entries, and what a vote on each pair is worth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from numpy.typing import NDArray

from providers.cache import ProcessCache

from . import matchmaking
from .models import Category, Competition, Entry, PairScores, Tally

pools: ProcessCache[int, matchmaking.Pool] = ProcessCache(seconds=3.0, max_entries=1000)  # by category


def pool(category: Category) -> matchmaking.Pool:
    """The category's current entries and the chances of its pairs; up to three seconds old."""
    return pool_of(category.pk)


def pool_of(category: int) -> matchmaking.Pool:
    """The same by the category's id."""
    return pools.get_or_compute(category, lambda: _pool(category))


def _pool(category: int) -> matchmaking.Pool:
    entries = Entry.everything.current().filter(
        prompt__competition__in=Competition.everything.open().filter(category=category),
        prompt__completed_at=None,
        generation__sample=0,
    )
    table, columns = _pair_scores(category), ("pk", "prompt", "image_model", "prompt__competition", "image_model__lab")
    return matchmaking.Pool(
        candidates=tuple(matchmaking.Candidate(*row) for row in entries.order_by("pk").values_list(*columns)),
        met=_battles_by_pair(category) if table is None else {},
        table=table,
    )


def store_pair_scores(category: Category, table: matchmaking.Table) -> None:
    """Replace the category's scores; `leaderboard` calls this with every new board."""
    above_diagonal = table.scores[np.triu_indices(len(table.models), 1)].astype("<f4")
    PairScores.objects.update_or_create(
        category=category,
        defaults={
            "image_models": list(table.models),
            "scores": above_diagonal.tobytes(),
            "provisional": sorted(table.provisional),
            "changed_at": timezone.now(),
        },
    )


def _pair_scores(category: int) -> matchmaking.Table | None:
    """What a vote on each pair is worth, as of the last ratings; None before there are any."""
    row = PairScores.objects.filter(category=category).first()
    if row is None:
        return None
    k = len(row.image_models)
    values = np.zeros((k, k), np.float32)
    values[np.triu_indices(k, 1)] = np.frombuffer(row.scores, "<f4")
    return matchmaking.Table(tuple(row.image_models), values + values.T, frozenset(row.provisional))


def _battles_by_pair(category: int) -> dict[matchmaking.Pair, int]:
    """How often each pair of models met."""
    rows = (
        Tally.objects.filter(category=category)
        .values_list(Least("left_model", "right_model"), Greatest("left_model", "right_model"))
        .annotate(total=Sum("n"))
    )
    return {frozenset((low, high)): total for low, high, total in rows}


def pack(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Pairs of entry ids as `VoterProgress.met` stores them: 8 bytes a pair, room for four billion entries."""
    return np.array(list(pairs), ">u4").tobytes()


def unpack(met: bytes) -> NDArray[np.int64]:
    """[n, 2] entry ids."""
    return np.frombuffer(met, ">u4").astype(np.int64).reshape(-1, 2)
