"""Competitions as pages show them: the list with its filters, each prompt's images by standing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
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
from leaderboard.models import Record

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
    given = {name: words[name].strip() for name in ("category", "state", "tag") if words.get(name, "").strip()}
    errors: dict[str, str] = {}
    competitions = Competition.objects.published().select_related("category")
    if slug := given.get("category"):
        if Category.objects.filter(slug=slug).exists():
            competitions = competitions.filter(category__slug=slug)
        else:
            errors["category"] = f"There is no category “{slug}”. Choose one from the list."
    if state := given.get("state"):
        if state in STATES:
            competitions = competitions.filter(_state(state))
        else:
            errors["state"] = f"“{state}” is no state of a competition. Choose one of: {', '.join(STATES)}."
    if tag := given.get("tag"):
        competitions = competitions.filter(
            pk__in=Prompt.objects.current().filter(tags__contains=[tag]).values("competition")
        )
    votes = Record.objects.filter(prompt__competition=OuterRef("pk")).order_by().values("prompt__competition")
    prompts = Prompt.objects.current().filter(competition=OuterRef("pk")).order_by().values("competition")
    return Listing(
        competitions.annotate(
            prompt_count=Coalesce(Subquery(prompts.annotate(n=Count("*")).values("n")), 0),
            vote_count=Coalesce(Subquery(votes.annotate(n=Sum(_votes()) / 2).values("n")), 0),
        ),
        given,
        errors,
    )


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
    competing = Entry.objects.current().filter(prompt__in=shown, generation__sample=0, generation__prompt__in=shown)
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
    own = Record.objects.filter(prompt=OuterRef("prompt"), image_model=OuterRef("image_model"))
    points = Cast(2 * F("won") + F("tied") + F("both_bad"), FloatField()) / (2 * _votes())
    share = Case(When(Q(won=0, tied=0, both_bad=0, lost=0), then=Value(-1.0)), default=points)
    return entries.annotate(share=Coalesce(Subquery(own.annotate(share=share).values("share")), Value(-1.0)))


def _votes() -> Cast:
    return Cast(F("won") + F("tied") + F("both_bad") + F("lost"), IntegerField())
