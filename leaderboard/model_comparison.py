"""A few models side by side: their places, what happened when they met, what was expected, and shared prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from django.db.models import Count

from arena.models import Category, Competition, Entry, Prompt
from leaderboard.board import head_to_head, image_records
from leaderboard.board.head_to_head import PairRecord
from leaderboard.board.image_records import ImageRecord
from leaderboard.board.standings import Standing
from leaderboard.models import Covariance, Rating
from providers.models import ImageModel

PROMPTS = 6  # shared prompts whose images are shown


@dataclass(frozen=True, slots=True)
class PairComparison:
    """One pair in one category. The expectation is missing unless both are rated, its interval unless both have one."""

    one: ImageModel
    other: ImageModel
    met: PairRecord
    expected: float | None = None  # points, 0 to 1, that `one` should score
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class CategoryComparison:
    """A category in which at least one of the models is rated; None where a model is not."""

    category: Category
    standings: list[Standing | None]
    duels: list[PairComparison] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SharedPrompt:
    """A prompt that at least two of the models answered, their entries in the models' order, and their results."""

    prompt: Prompt
    entries: list[tuple[ImageModel, Entry | None, ImageRecord | None]]


def arenas(models: Sequence[ImageModel]) -> list[CategoryComparison]:
    """Every category that rates one of the models, in the site's order. Four queries, however many there are."""
    ratings = Rating.objects.filter(image_model__in=models).select_related("category")
    by_category: dict[Category, dict[int, Rating]] = defaultdict(dict)
    for rating in ratings:
        by_category[rating.category][rating.image_model_id] = rating
    sizes = dict(Rating.objects.order_by().values_list("category").annotate(n=Count("*")))
    records = head_to_head.records_among(models, by_category)
    covariances = {row.category_id: row for row in Covariance.objects.filter(category__in=by_category)}
    comparisons = []
    for category in sorted(by_category, key=lambda category: (category.position, category.name)):
        rated = by_category[category]
        standings = [Standing(rated[model.pk], sizes[category.pk]) if model.pk in rated else None for model in models]
        pairs = [
            _pair(one, other, rated, covariances.get(category.pk), records[category.pk][one.pk, other.pk])
            for one, other in combinations(models, 2)
        ]
        pairs = [pair for pair in pairs if pair.met.votes or pair.expected is not None]
        comparisons.append(CategoryComparison(category, standings, pairs))
    return comparisons


def _pair(
    one: ImageModel, other: ImageModel, rated: dict[int, Rating], covariance: Covariance | None, record: PairRecord
) -> PairComparison:
    if one.pk not in rated or other.pk not in rated:
        return PairComparison(one, other, record)
    variance = head_to_head.variance_of_difference(covariance, one.pk, other.pk)
    expected = head_to_head.expected_share(rated[one.pk].elo, rated[other.pk].elo, variance)
    return PairComparison(one, other, record, expected.share, expected.lower, expected.upper)


def shared(models: Sequence[ImageModel], hidden: Collection[int] = ()) -> list[SharedPrompt]:
    """Published prompts that most of the models answered, newest competitions first, without those of `hidden`."""
    prompts = list(
        Prompt.objects.current()
        .filter(
            competition__in=Competition.objects.unveiled(), entries__image_model__in=models, entries__retired_at=None,
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
        SharedPrompt(
            prompt,
            [(model, entries.get((prompt.pk, model.pk)), did.get(prompt.pk, {}).get(model.pk)) for model in models],
        )
        for prompt in prompts
    ]
