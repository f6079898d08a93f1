"""Watching hosted models for change: the images that a provider made in the last month against older ones.

Once a day, per category. A vote is late for a side whose image was made in the last `RECENT`; images that somebody
brought as files say nothing of a provider. The prompts of the two windows differ, mostly, which is why prompts are
clusters of the move's error. `rating.drift` has the mathematics.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from arena.models import Category, Entry
from leaderboard import cache
from leaderboard.board import pair_key
from leaderboard.models import Drift
from leaderboard.rating import drift, elo
from providers.models import ImageModel

RECENT = timedelta(days=30)
BEFORE = timedelta(days=180)  # the earlier window ends where the recent one starts
EVERY = timedelta(hours=24)
MAX_VOTES = 300_000  # beyond, a part of the voters stands for all

_VOTES = f"""
SELECT string_agg(int8send(v.voter_id), ''::bytea), string_agg(int8send(b.prompt_id), ''::bytea),
       string_agg(int8send({pair_key.SQL}), ''::bytea),
       string_agg(int4send((l.created_at >= %(split)s)::int + 2 * (r.created_at >= %(split)s)::int), ''::bytea)
FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id
JOIN arena_entry l ON l.id = b.left_id AND l.call_id IS NOT NULL AND l.created_at >= %(start)s
JOIN arena_entry r ON r.id = b.right_id AND r.call_id IS NOT NULL AND r.created_at >= %(start)s
WHERE v.category_id = %(category)s AND v.excluded_reason = '' AND v.left_model_id <> v.right_model_id
    AND v.cast_at >= %(start)s AND v.voter_id %% %(every)s = 0
"""  # noqa: S608 - our own names
_SCORES = np.array([elo.SCORES[outcome] for outcome in pair_key.OUTCOMES])


def check_due() -> list[Category]:
    """Check every category that was not checked for a day; returns those. For the periodic task, however often."""
    due = [
        category
        for category in Category.objects.filter(board__votes__gt=0).select_related("board")
        if not cache.get("drift checked", category.pk)
    ]
    for category in due:
        check(category)
        cache.put(True, "drift checked", category.pk, seconds=EVERY.total_seconds())
    return due


def check(category: Category) -> bool:
    """Compare both windows of every hosted model and store it; False where there is nothing to compare."""
    now = timezone.now()
    split = now - RECENT
    made = Entry.objects.filter(prompt__competition__category=category, call__isnull=False)
    if not (made.filter(created_at__gte=split).exists() and made.filter(created_at__lt=split).exists()):
        category.drifts.all().delete()
        return False
    models, votes = _read(category, split)
    moves = drift.moves(votes)
    hosted = set(ImageModel.objects.filter(pk__in=models, offerings__is_active=True).values_list("pk", flat=True))
    with transaction.atomic():
        category.drifts.all().delete()
        Drift.objects.bulk_create(
            Drift(
                category=category,
                image_model_id=models[index],
                made_since=split,
                checked_at=now,
                move=move.move,
                half_width=move.half_width,
                is_alarm=move.is_alarm,
                votes_before=move.before,
                votes_after=move.after,
            )
            for index, move in moves.items()
            if models[index] in hosted
        )
    return True


def _read(category: Category, split: datetime) -> tuple[list[int], drift.WindowedVotes]:
    """Ids of the models, and the votes with models as indices into them."""
    with connection.cursor() as cursor:
        every = 1 + category.board.votes // MAX_VOTES
        cursor.execute(_VOTES, {"category": category.pk, "split": split, "start": split - BEFORE, "every": every})
        packed = cursor.fetchone()
    voter, prompt, key = (np.frombuffer(column or b"", ">i8").astype(np.int64) for column in packed[:3])
    late = np.frombuffer(packed[3] or b"", ">i4").astype(np.int64)
    left, right, outcome = pair_key.unpacked(key)
    ids = np.union1d(left, right)
    return ids.tolist(), drift.WindowedVotes(
        models=ids.size,
        left=np.searchsorted(ids, left),
        right=np.searchsorted(ids, right),
        left_late=late % 2 == 1,
        right_late=late >= 2,
        score=_SCORES[outcome],
        voter=np.unique(voter, return_inverse=True)[1],
        prompt=np.unique(prompt, return_inverse=True)[1],
    )


def alarms() -> list[Drift]:
    """What a curator has to look into: the largest moves first."""
    rows = Drift.objects.filter(is_alarm=True).select_related("category", "image_model")
    return sorted(rows, key=lambda row: -abs(row.move))
