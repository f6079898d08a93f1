"""The pool a category's pairs are drawn from: its current entries, and what a vote on each pair is worth."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from numpy.typing import NDArray

from providers.cache import ProcessCache

from . import matchmaking
from .models import Category, Competition, Entry, PairScores, Tally

pools: ProcessCache[int, matchmaking.Pool] = ProcessCache(seconds=3.0, max_entries=1000)  # by category

REREAD = 60.0  # seconds after which the images are read again even if nothing seems to have changed


@dataclass(frozen=True, slots=True)
class _Read:
    """A pool with what says whether it is still the same: the state of its images, and when its pairs were scored."""

    images: str
    scored_at: datetime | None
    pool: matchmaking.Pool
    at: float  # time.monotonic()


_last: ProcessCache[int, _Read] = ProcessCache(seconds=REREAD, max_entries=1000)


def pool(category: Category) -> matchmaking.Pool:
    """The category's current entries and the chances of its pairs; up to three seconds old."""
    return pool_of(category.pk)


def pool_of(category: int) -> matchmaking.Pool:
    """The same by the category's id."""
    return pools.get_or_compute(category, lambda: _pool(category))


# What changes when an image enters or leaves the pool. Nothing in it grows with the number of images that compete; two
# images that are stored at once may show in the wrong order, hence `REREAD`.
_STATE = """
SELECT (SELECT max(id) FROM arena_entry), gone.n, gone.at, open.ids, retired.n, model.n, scores.changed_at
FROM (
    SELECT count(*) AS n, max(greatest(retired_at, hidden_at)) AS at FROM arena_entry
    WHERE retired_at IS NOT NULL OR hidden_at IS NOT NULL
) gone, (
    SELECT array_agg(id ORDER BY id) AS ids FROM arena_competition
    WHERE category_id = %(category)s AND is_published AND coalesce(opens_at <= statement_timestamp(), true)
        AND coalesce(closes_at > statement_timestamp(), true)
) open, (
    SELECT count(p.retired_at) + 1000000 * count(p.completed_at) AS n
    FROM arena_prompt p JOIN arena_competition c ON c.id = p.competition_id WHERE c.category_id = %(category)s
) retired, (
    SELECT count(*) AS n FROM providers_imagemodel WHERE retired_at IS NOT NULL
) model
LEFT JOIN arena_pairscores scores ON scores.category_id = %(category)s
"""


def _pool(category: int) -> matchmaking.Pool:
    """Entries by the thousand are not read every three seconds, but when one came or went."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"category": category})
        *state, scored_at = cursor.fetchone()
    images, now, last = repr(state), time.monotonic(), _last.get(category)
    if last is None or last.images != images or now - last.at > REREAD:
        candidates = _candidates(category)
        last = _Read(images, None, matchmaking.Pool(candidates, {}, checks=_checks(candidates)), now)
    elif scored_at is not None and last.scored_at == scored_at:
        return last.pool
    table = None if scored_at is None else _pair_scores(category)
    scored = last.pool.scored({} if table else _battles_by_pair(category), table)
    _last.put(category, _Read(images, scored_at, scored, last.at))
    return scored


def _candidates(category: int) -> tuple[matchmaking.Candidate, ...]:
    entries = Entry.everything.current().filter(
        prompt__competition__in=Competition.everything.open().filter(category=category),
        prompt__completed_at=None,
        generation__sample=0,
    )
    columns = ("pk", "prompt", "image_model", "prompt__competition", "image_model__lab")
    return tuple(matchmaking.Candidate(*row) for row in entries.order_by("pk").values_list(*columns))


_CHECKS = """
SELECT e.prompt_id, first.id, e.id
FROM arena_entry e
JOIN arena_generation g ON g.id = e.generation_id AND g.provider <> ''
JOIN arena_entry first ON first.prompt_id = e.prompt_id AND first.image_model_id = e.image_model_id
JOIN arena_generation g0 ON g0.id = first.generation_id AND g0.sample = 0
WHERE first.id = ANY (%(entries)s) AND e.retired_at IS NULL AND e.hidden_at IS NULL
"""


def _checks(entries: tuple[matchmaking.Candidate, ...]) -> tuple[tuple[int, int, int], ...]:
    """Prompt, rated image and another one of the same model through a provider that is checked."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS, {"entries": [candidate.entry for candidate in entries]})
        return tuple(cursor.fetchall())


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
