"""The public register: every model that was ever voted on here, with its first and last day.

A lab that sends ten variants and shows the best one gains by luck alone; the register shows how many there were, and
the page of that best one says by how much the best of so many equals looks too good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from arena.models import Category, Tally
from leaderboard.models import Rating
from leaderboard.rating.ranks import expected_maximum
from providers.models import ImageModel

VARIANTS = 3  # of one lab in one category, from which on the best of them is a choice by luck too
GONE = timedelta(days=14)  # without a vote, after which a variant has left
ENOUGH_VOTES = 2_000  # for the best one after the others left: then its rating rests on votes that chose nobody

_UPDATE = """
INSERT INTO leaderboard_registeredmodel AS r (category_id, image_model_id, first_day, last_day)
SELECT t.category_id, side.model_id, min(t.day), max(t.day)
FROM arena_tally t CROSS JOIN LATERAL (VALUES (t.left_model_id), (t.right_model_id)) AS side (model_id)
WHERE NOT EXISTS (SELECT FROM arena_votefile f WHERE f.category_id = t.category_id) AND t.n > 0
GROUP BY 1, 2
ON CONFLICT (category_id, image_model_id) DO UPDATE
SET first_day = least(r.first_day, excluded.first_day), last_day = greatest(r.last_day, excluded.last_day)
"""


def update() -> None:
    """Bring the register up to date from the tallies; once a day is enough. Nothing ever leaves it."""
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE)


@dataclass(frozen=True, slots=True)
class BestOfVariants:
    """A model that is the best rated of several variants of its lab, the others being gone."""

    variants: int
    lab: str
    errors: float  # standard errors by which the best of so many equals stands too high, on average
    elo: float  # the same in Elo


def best_of_variants(image_model: ImageModel, rating: Rating, variants: Mapping[int, date]) -> BestOfVariants | None:
    """None where there were fewer than `VARIANTS`, another one is better, any of the others is still voted on, or
    enough votes have come since they left. `variants`: the last days of its lab's models in the register, by id."""
    others = {model: day for model, day in variants.items() if model != image_model.pk}
    if len(variants) < VARIANTS or image_model.pk not in variants or not rating.is_placed:
        return None
    left = max(others.values())
    if left > timezone.now().date() - GONE:
        return None
    if Rating.objects.filter(category=rating.category_id, image_model__in=others, elo__gt=rating.elo).exists():
        return None
    if _votes_since(rating.category, image_model, left) >= ENOUGH_VOTES:
        return None
    errors = expected_maximum(len(variants))
    assert image_model.lab is not None
    return BestOfVariants(len(variants), image_model.lab.name, errors, errors * rating.se)


def _votes_since(category: Category, image_model: ImageModel, day: date) -> int:
    tallies = Tally.objects.filter(category=category, day__gt=day)
    sides = (tallies.filter(left_model=image_model), tallies.filter(right_model=image_model))
    return sum(side.aggregate(n=Sum("n"))["n"] or 0 for side in sides)
