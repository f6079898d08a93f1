"""The votes that voters are judged by: made from time to time, never changed, so that evidence can be recomputed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from arena import pairing
from arena.matchmaking.battle_shares import UNIFORM_SHARE
from arena.models import Strengths, Tally
from arena.models.integrity import FOLDS

from . import evidence

MIN_AGE = timedelta(seconds=60)
MAX_AGE = timedelta(days=1)
GROWTH = 1.1  # a board with so many times the votes gets new strengths

_WINS = """
SELECT fold, winner, loser, sum(n) FROM (
    SELECT (voter_id %% %(folds)s)::int AS fold,
        CASE outcome WHEN 'left' THEN left_model_id ELSE right_model_id END AS winner,
        CASE outcome WHEN 'left' THEN right_model_id ELSE left_model_id END AS loser, count(*) AS n
    FROM arena_vote
    WHERE category_id = %(category)s AND excluded_reason = '' AND outcome IN ('left', 'right')
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT -1, CASE outcome WHEN 'left' THEN v.left_model_id ELSE v.right_model_id END,
        CASE outcome WHEN 'left' THEN v.right_model_id ELSE v.left_model_id END, count(*)
    FROM arena_importedvote v JOIN arena_votefile f ON f.id = v.file_id
    WHERE f.category_id = %(category)s AND outcome IN ('left', 'right')
    GROUP BY 1, 2, 3
) cells WHERE winner <> loser GROUP BY 1, 2, 3
"""


def current(category: int) -> Strengths:
    """The newest of a category; a new one when it is old, or when many votes came."""
    newest = Strengths.objects.filter(category=category).order_by("-made_at", "-pk").first()
    if newest is not None:
        age = timezone.now() - newest.made_at
        if age < MIN_AGE:
            return newest
        votes = Tally.objects.filter(category=category).exclude(outcome__in=("tie", "both_bad")).aggregate(n=Sum("n"))
        if age < MAX_AGE and (votes["n"] or 0) < GROWTH * newest.votes and newest.votes:
            return newest
    return make(category)


def before(category: int, moment: datetime) -> Strengths:
    """The newest that was made before a moment; the newest of all where there is none."""
    older = Strengths.objects.filter(category=category, made_at__lt=moment).order_by("-made_at", "-pk").first()
    return older or current(category)


def make(category: int) -> Strengths:
    """Count the category's wins, for each fold of voters those of all others, and store them with each model's share of
    the sides of battles that are drawn."""
    with connection.cursor() as cursor:
        cursor.execute(_WINS, {"category": category, "folds": FOLDS})
        cells = cursor.fetchall()
    pool = pairing.pool_of(category)
    ids = sorted({model for _, winner, loser, _ in cells for model in (winner, loser)} | set(pool.models))
    at = {model: index for index, model in enumerate(ids)}
    own = np.zeros((FOLDS + 1, len(ids), len(ids)), np.int64)
    for fold, winner, loser, n in cells:
        own[fold, at[winner], at[loser]] += int(n)  # fold −1, imported votes: of nobody here
    others = own.sum(0)[None] - own[:FOLDS]
    shares = np.zeros(len(ids))
    if pool.size:
        drawn = (1 - UNIFORM_SHARE) * pool.chances + UNIFORM_SHARE * pool.uniform
        shares[[at[model] for model in pool.models]] = drawn.sum(0) + drawn.sum(1)
    return Strengths.objects.create(
        category_id=category,
        votes=int(own.sum()),
        image_models=ids,
        wins=others.astype("<i4").tobytes(),
        shares=shares.tolist(),
    )


def of_fold(strengths: Strengths, fold: int) -> evidence.Consensus:
    """What the votes of the other folds say."""
    return _fit(bytes(strengths.wins), len(strengths.image_models), fold)


def of_all(strengths: Strengths) -> evidence.Consensus:
    """What all votes say."""
    return _fit(bytes(strengths.wins), len(strengths.image_models), None)


@functools.lru_cache(maxsize=64)
def _fit(packed: bytes, k: int, fold: int | None) -> evidence.Consensus:
    wins = np.frombuffer(packed, "<i4").reshape(FOLDS, k, k).astype(np.float64)
    return evidence.reference(wins[fold] if fold is not None else wins.sum(0) / (FOLDS - 1))


def indices(strengths: Strengths, models: Sequence[int]) -> evidence.Ints:
    """Where models stand in the strengths' list; −1 for those that are not in it."""
    at = {model: index for index, model in enumerate(strengths.image_models)}
    return np.array([at.get(model, -1) for model in models], np.int64)
