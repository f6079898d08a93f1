"""A few models side by side: their places, what happened when they met, what was expected, and shared prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isfinite, sqrt

import numpy as np
from django.db.models import Count, Sum

from arena.models import Category, Entry, Prompt, Tally
from leaderboard.board import image_records
from leaderboard.board.head_to_head import Meetings
from leaderboard.board.image_records import Result
from leaderboard.board.standings import Standing
from leaderboard.models import Covariance, Rating
from leaderboard.rating import elo
from providers.models import ImageModel

PROMPTS = 6  # shared prompts whose images are shown


@dataclass(frozen=True, slots=True)
class Duel:
    """One pair in one category. The expectation is missing unless both are rated, its interval unless both have one."""

    one: ImageModel
    other: ImageModel
    met: Meetings
    expected: float | None = None  # what `one` should score, a tie being half
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Arena:
    """A category in which at least one of the models is rated; None where a model is not."""

    category: Category
    standings: list[Standing | None]
    duels: list[Duel] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shared:
    """A prompt that at least two of the models answered, their entries in the models' order, and their results."""

    prompt: Prompt
    entries: list[tuple[ImageModel, Entry | None, Result | None]]


def arenas(models: Sequence[ImageModel]) -> list[Arena]:
    """Every category that rates one of the models, in the site's order. Four queries, however many there are."""
    ratings = Rating.objects.filter(image_model__in=models).select_related("category")
    by_category: dict[Category, dict[int, Rating]] = defaultdict(dict)
    for rating in ratings:
        by_category[rating.category][rating.image_model_id] = rating
    sizes = dict(Rating.objects.order_by().values_list("category").annotate(n=Count("*")))
    met = _met(models, by_category)
    kept = {row.category_id: row for row in Covariance.objects.filter(category__in=by_category)}
    found = []
    for category in sorted(by_category, key=lambda each: (each.position, each.name)):
        rated = by_category[category]
        places = [Standing(rated[model.pk], sizes[category.pk]) if model.pk in rated else None for model in models]
        duels = [
            _duel(one, other, rated, kept.get(category.pk), met[category.pk, one.pk, other.pk])
            for one, other in combinations(models, 2)
        ]
        found.append(Arena(category, places, [duel for duel in duels if duel.met.votes or duel.expected is not None]))
    return found


def _met(models: Sequence[ImageModel], categories: Iterable[Category]) -> dict[tuple[int, int, int], Meetings]:
    """Meetings by (category, one, other), both ways round, from the tallies of these models alone."""
    counts: dict[tuple[int, int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    cells = (
        Tally.objects.filter(category__in=list(categories), left_model__in=models, right_model__in=models)
        .order_by()
        .values_list("category", "left_model", "right_model", "outcome")
        .annotate(total=Sum("n"))
    )
    for category, left, right, outcome, n in cells:
        for one, other, won in ((left, right, "left"), (right, left, "right")):
            key = (
                outcome
                if outcome == "both_bad"
                else "tied"
                if outcome == "tie"
                else "won"
                if outcome == won
                else "lost"
            )
            counts[category, one, other][key] += n
    return defaultdict(Meetings, {pair: Meetings(**each) for pair, each in counts.items()})


def _duel(one: ImageModel, other: ImageModel, rated: dict[int, Rating], kept: Covariance | None, met: Meetings) -> Duel:
    if one.pk not in rated or other.pk not in rated:
        return Duel(one, other, met)
    a, b = rated[one.pk].elo, rated[other.pk].elo
    variance = _variance(kept, one.pk, other.pk)
    if not isfinite(variance):
        return Duel(one, other, met, elo.expected_score(a, b))
    reach = elo.Z95 * sqrt(variance)
    return Duel(
        one, other, met, elo.expected_score(a, b), elo.expected_score(a - reach, b), elo.expected_score(a + reach, b)
    )


def _variance(kept: Covariance | None, one: int, other: int) -> float:
    """Of the difference of two ratings, in Elo²; infinite where unknown. Reads three numbers of the triangle."""
    if kept is None or one not in kept.image_models or other not in kept.image_models:
        return float("inf")
    i, j = sorted((kept.image_models.index(one), kept.image_models.index(other)))
    entries, k = np.frombuffer(kept.entries, "<f4"), len(kept.image_models)

    def at(row: int, column: int) -> float:
        return float(entries[row * k - row * (row - 1) // 2 + column - row])

    return max(0.0, at(i, i) + at(j, j) - 2 * at(i, j))


def shared(models: Sequence[ImageModel], hidden: Collection[int] = ()) -> list[Shared]:
    """Published prompts that most of the models answered, newest competitions first, without those of `hidden`."""
    prompts = list(
        Prompt.objects.current()
        .filter(
            competition__is_published=True, entries__image_model__in=models, entries__retired_at=None,
            entries__generation__sample=0, entries__generation__image_model__in=models,
        )
        .exclude(pk__in=hidden)
        .annotate(answers=Count("entries__image_model", distinct=True))
        .filter(answers__gte=2)
        .select_related("competition")
        .order_by("-answers", "-competition__created_at", "position", "pk")[:PROMPTS]
    )  # fmt: skip
    entries = {
        (entry.prompt_id, entry.image_model_id): entry
        for entry in Entry.objects.current()
        .filter(prompt__in=prompts, image_model__in=models, generation__sample=0, generation__prompt__in=prompts)
        .select_related("call__offering", "image_model")
    }
    did = image_records.on_prompts([prompt.pk for prompt in prompts], models)
    return [
        Shared(
            prompt,
            [(model, entries.get((prompt.pk, model.pk)), did.get(prompt.pk, {}).get(model.pk)) for model in models],
        )
        for prompt in prompts
    ]
