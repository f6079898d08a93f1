"""Competitions as pages show them: the list with its filters, each prompt's images by standing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Coalesce, RowNumber
from django.utils import timezone

from arena.models import Category, Competition, Entry, Prompt
from leaderboard.board import image_records
from leaderboard.board.image_records import ImageRecord
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Record
from providers.web.query_parameters import Parameters
from providers.web.sentence import sentence

STATES = {"open": "Open for votes", "coming": "Not open yet", "closed": "Closed"}


@dataclass(frozen=True, slots=True)
class Listing:
    """Competitions that an address asks for, the words as given and what could not be used."""

    competitions: QuerySet[Competition]
    given: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry and how it did."""

    entry: Entry
    result: ImageRecord | None


@dataclass(frozen=True, slots=True)
class PromptAnswers:
    """A prompt with its best answers, and how many there are in all; hidden from voters it is to be judged by."""

    prompt: Prompt
    answers: list[Answer]
    of: int
    is_hidden: bool


def listed(words: Mapping[str, str]) -> Listing:
    """Published competitions by category, state and tag, with their prompts and votes counted."""
    asked = Parameters(words, ("category", "state", "tag"))
    competitions = Competition.objects.published().select_related("category")
    categories = list(Category.objects.values_list("slug", flat=True)) if "category" in asked.given else []
    if slug := asked.one_of("category", categories, where=sentence("a category here")):
        competitions = competitions.filter(category__slug=slug)
    if state := asked.one_of("state", STATES, where=sentence("a state of a competition")):
        competitions = competitions.filter(_state(state))
    tags = list(_tags()) if "tag" in asked.given else []
    if tag := asked.one_of("tag", tags, where=sentence("a tag of prompts here")):
        tagged = Prompt.objects.current().filter(tags__contains=[tag])
        competitions = competitions.filter(pk__in=tagged.values("competition"))
    return Listing(_counted(competitions), asked.given, asked.errors)


def of_category(category: Category) -> list[Competition]:
    """Its published competitions with their prompts and votes counted: open ones first, most votes first.

    May be a minute old.
    """
    return get_or_compute("competitions", version(category), seconds=MINUTE, compute=lambda: _of_category(category))


def _of_category(category: Category) -> list[Competition]:
    is_open = Case(When(_state("open"), then=0), default=1)
    own: QuerySet[Any] = _counted(Competition.objects.published().filter(category=category).select_related("category"))
    return list(own.order_by(is_open, "-vote_count", "title"))


def _counted(competitions: QuerySet[Competition]) -> QuerySet[Competition]:
    """With `prompt_count` and `vote_count`."""
    votes = Record.objects.filter(prompt__competition=OuterRef("pk")).order_by().values("prompt__competition")
    prompts = Prompt.objects.current().filter(competition=OuterRef("pk")).order_by().values("competition")
    return competitions.annotate(
        prompt_count=Coalesce(Subquery(prompts.annotate(n=Count("*")).values("n")), 0),
        vote_count=Coalesce(Subquery(votes.annotate(n=Sum(_votes()) / 2).values("n")), 0),
    )


def _tags() -> QuerySet[Prompt, str]:
    tag = Func(F("tags"), function="unnest")
    published = Prompt.objects.current().filter(competition__is_published=True)
    tags: QuerySet[Prompt, str] = published.order_by().annotate(tag=tag).values_list("tag", flat=True).distinct()
    return tags


def _state(state: str) -> Q:
    now = timezone.now()
    if state == "closed":
        return Q(closes_at__lte=now)
    if state == "coming":
        return Q(opens_at__gt=now)
    return (Q(opens_at=None) | Q(opens_at__lte=now)) & (Q(closes_at=None) | Q(closes_at__gt=now))


def best_answers(prompts: Sequence[Prompt], per_prompt: int, hidden: Collection[int] = ()) -> list[PromptAnswers]:
    """Every prompt with its best `each` images by their own record; none of a prompt the reader must stay blind on."""
    shown = [prompt.pk for prompt in prompts if prompt.pk not in hidden]
    # The prompts are named for both tables, so that both are read from their indexes.
    competing = Entry.everything.current().filter(prompt__in=shown, generation__sample=0, generation__prompt__in=shown)
    sizes = dict(competing.order_by().values_list("prompt").annotate(n=Count("*")))
    place = Window(RowNumber(), partition_by=F("prompt"), order_by=[F("share").desc(), F("image_model__name")])
    first = ranked(competing).annotate(place=place).filter(place__lte=per_prompt).order_by("place")
    entries = list(first.select_related("image_model", "call__offering"))
    did = image_records.on_prompts(shown, {entry.image_model for entry in entries})
    answers: dict[int, list[Answer]] = {}
    for entry in entries:
        answer = Answer(entry, did.get(entry.prompt_id, {}).get(entry.image_model_id))
        answers.setdefault(entry.prompt_id, []).append(answer)
    return [
        PromptAnswers(prompt, answers.get(prompt.pk, []), sizes.get(prompt.pk, 0), prompt.pk in hidden)
        for prompt in prompts
    ]


def ranked(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """With `share`, the part of its votes an entry won, a tie being half; −1 without any vote."""
    own = Record.everything.filter(prompt=OuterRef("prompt"), image_model=OuterRef("image_model"))
    points = Cast(2 * F("won") + F("tied") + F("both_bad"), FloatField()) / (2 * _votes())
    share = Case(When(Q(won=0, tied=0, both_bad=0, lost=0), then=Value(-1.0)), default=points)
    return entries.annotate(share=Coalesce(Subquery(own.annotate(share=share).values("share")), Value(-1.0)))


def _votes() -> Cast:
    return Cast(F("won") + F("tied") + F("both_bad") + F("lost"), IntegerField())
