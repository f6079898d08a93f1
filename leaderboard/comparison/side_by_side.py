"""A few models side by side: their places, what happened when they met, what was expected, and shared prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from typing import Any

from django.db.models import Count, F, OuterRef, Subquery, Sum
from django.db.models.functions import Greatest, Least
from django.utils.translation import gettext

from arena.models import Category, Competition, Entry, ImageTally, Prompt, Tally
from leaderboard.board import head_to_head, image_records
from leaderboard.board.head_to_head import PairRecord
from leaderboard.board.image_records import ImageRecord
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute
from leaderboard.models import Covariance, Rating
from leaderboard.rating.shares import wilson
from providers.models import ImageModel

PROMPTS = 6  # shared prompts whose images are shown
CLEARLY = 0.75  # share of the votes
OFTEN = 4  # pairs that were compared most
USES, MIN_USE_VOTES = 8, 10  # tags in a comparison: those with the most votes


@dataclass(frozen=True, slots=True)
class PairComparison:
    """One pair in one category. The expectation is missing unless both are rated, its interval unless both have one."""

    one: ImageModel
    other: ImageModel
    met: PairRecord
    expected: float | None = None  # points, 0 to 1, that `one` should score
    lower: float | None = None
    upper: float | None = None

    @property
    def reversed_share(self) -> float | None:
        return None if self.expected is None else 1 - self.expected

    @property
    def width(self) -> float:
        """Of the interval."""
        return 0.0 if self.lower is None or self.upper is None else self.upper - self.lower


@dataclass(frozen=True, slots=True)
class CategoryComparison:
    """A category in which at least one of the models is rated; None where a model is not."""

    category: Category
    standings: list[Standing | None]
    duels: list[PairComparison] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PairVotes:
    """The votes between two models on some prompts, from the first one's side, and what they show."""

    name: str  # of the first model
    other: str
    record: PairRecord

    @property
    def share(self) -> float:
        return self.record.share or 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % (Wilson) of the first one's share, a tie being half."""
        return wilson(self.share, self.record.votes)

    @property
    def width(self) -> float:
        """Of the interval."""
        low, high = self.interval
        return high - low

    @property
    def is_apart(self) -> bool:
        low, high = self.interval
        return not low <= 0.5 <= high

    @property
    def claim(self) -> str:
        """Halogen, clearly · Halogen, probably · no difference shown."""
        if not self.is_apart:
            return gettext("no difference shown")
        winner = self.name if self.share > 0.5 else self.other
        is_clear = max(self.share, 1 - self.share) >= CLEARLY
        return (gettext("%(name)s, clearly") if is_clear else gettext("%(name)s, probably")) % {"name": winner}


@dataclass(frozen=True, slots=True)
class UseVotes:
    """The same on the prompts with one tag."""

    tag: str
    votes: PairVotes


@dataclass(frozen=True, slots=True)
class SharedPrompt:
    """A prompt that at least two of the models answered, their entries in the models' order, and their results.

    `votes` are those between the two of a comparison of two models.
    """

    prompt: Prompt
    entries: list[tuple[ImageModel, Entry | None, ImageRecord | None]]
    votes: PairVotes | None = None


def arenas(models: Sequence[ImageModel]) -> list[CategoryComparison]:
    """Every category that rates one of the models, in the site's order. Three queries, however many there are."""
    rated_there = Rating.objects.filter(category=OuterRef("category")).order_by().values("category")
    of = Subquery(rated_there.annotate(n=Count("*")).values("n"))
    by_category: dict[Category, dict[int, Any]] = defaultdict(dict)
    for rating in Rating.objects.filter(image_model__in=models).select_related("category").annotate(of=of):
        by_category[rating.category][rating.image_model_id] = rating
    records = head_to_head.records_among(models, by_category)
    covariances = {row.category_id: row for row in Covariance.objects.filter(category__in=by_category)}
    comparisons = []
    for category in sorted(by_category, key=lambda category: (category.position, category.name)):
        rated = by_category[category]
        standings = [Standing(rated[model.pk], rated[model.pk].of) if model.pk in rated else None for model in models]
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


def most_met() -> list[tuple[ImageModel, ImageModel]]:
    """The pairs with the most votes on boards of votes cast here. One query; may be ten minutes old."""
    return get_or_compute("most met pairs", seconds=10 * MINUTE, compute=_most_met)


def _most_met() -> list[tuple[ImageModel, ImageModel]]:
    ordered = (Least("left_model", "right_model"), Greatest("left_model", "right_model"))
    rows = list(
        Tally.objects.filter(category__source_name="")
        .order_by()
        .values_list(*ordered)
        .annotate(votes=Sum("n"))
        .order_by("-votes", *ordered)[:OFTEN]
    )
    models = ImageModel.objects.current().in_bulk({model for one, other, _ in rows for model in (one, other)})
    pairs = [sorted((models[one], models[other]), key=_slug) for one, other, _ in rows if {one, other} <= models.keys()]
    return [(one, other) for one, other in pairs]


def _slug(model: ImageModel) -> str:
    return model.slug


@dataclass(frozen=True, slots=True)
class PairOnPrompts:
    """The counted votes between the images of two models, from the first one's side: by prompt id, and by tag."""

    by_prompt: Mapping[int, PairRecord]
    by_tag: Mapping[str, PairRecord]


def between(one: ImageModel, other: ImageModel) -> PairOnPrompts:
    """One query."""
    pair = [one.pk, other.pk]
    rows = (
        ImageTally.objects.filter(low__image_model__in=pair, high__image_model__in=pair)
        .exclude(low__image_model=F("high__image_model"))
        .values_list(
            "low__prompt", "low__prompt__tags", "low__image_model", "low_wins", "high_wins", "ties", "both_bad"
        )
    )
    by_prompt: dict[int, PairRecord] = defaultdict(PairRecord)
    by_tag: dict[str, PairRecord] = defaultdict(PairRecord)
    for prompt, tags, low, *counts in rows:
        record = PairRecord(*counts) if low == one.pk else PairRecord(*counts).reversed()
        by_prompt[prompt] += record
        for tag in tags:
            by_tag[tag] += record
    return PairOnPrompts(dict(by_prompt), dict(by_tag))


def by_use(one: ImageModel, other: ImageModel, by_tag: Mapping[str, PairRecord]) -> list[UseVotes]:
    """The tags with votes enough, the best for the first model first."""
    uses = [UseVotes(tag, PairVotes(one.name, other.name, record)) for tag, record in by_tag.items()]
    enough = sorted((use for use in uses if use.votes.record.votes >= MIN_USE_VOTES), key=_by_votes)[:USES]
    return sorted(enough, key=lambda use: (-use.votes.share, use.tag))


def _by_votes(use: UseVotes) -> tuple[int, str]:
    return -use.votes.record.votes, use.tag


def shared(
    models: Sequence[ImageModel], hidden: Collection[int] = (), records: Mapping[int, PairRecord] | None = None
) -> list[SharedPrompt]:
    """Published prompts that most of the models answered, without those of `hidden`.

    Those with the most decided votes come first where `records` are the votes of two models, else the newest.
    """
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
        .order_by("-answers", "-competition__created_at", "position", "pk")[: PROMPTS * (10 if records else 1)]
    )  # fmt: skip
    records = records or {}
    prompts = sorted(prompts, key=lambda prompt: -_decided(records.get(prompt.pk)))[:PROMPTS]
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
            PairVotes(models[0].name, models[1].name, records[prompt.pk]) if prompt.pk in records else None,
        )
        for prompt in prompts
    ]


def best_entries(models: Sequence[ImageModel], prompts: Sequence[SharedPrompt]) -> list[Entry | None]:
    """Of every model its most preferred image among those prompts."""
    best: list[Entry | None] = []
    for index in range(len(models)):
        answers = [(prompt.entries[index][1], prompt.entries[index][2]) for prompt in prompts]
        known = [(result.points if result else 0.0, entry) for entry, result in answers if entry is not None]
        best.append(max(known, key=lambda pair: pair[0], default=(0.0, None))[1])
    return best


def _decided(record: PairRecord | None) -> float:
    """How far the votes on a prompt are from a draw, in standard errors of a draw's share; -1 without votes."""
    share = record.share if record else None
    return -1.0 if record is None or share is None else abs(share - 0.5) * sqrt(record.votes)
