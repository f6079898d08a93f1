"""Prompts that visitors of the playground suggest: stored once, accepted into a competition or declined."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.contrib.postgres.search import TrigramSimilarity
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers.models import Trial

from . import images
from .models import Competition, Prompt, Suggestion

NEAR = 0.6  # similarity of trigrams from which on two texts may ask for the same


class NotAccepted(ValueError):
    """The suggestion does not fit; the message says why."""


def suggest(trials: Sequence[Trial]) -> Suggestion:
    """Store the prompt of these trials, which are of one group. The second time it is the same suggestion."""
    first = trials[0]
    known: Suggestion | None = Suggestion.objects.filter(trials=first.group).first()
    if known is not None:
        return known
    suggestion = Suggestion(text=first.prompt, mode=first.mode, trials=first.group)
    if first.sources:
        with default_storage.open(first.sources[0], "rb") as file:
            clean = images.clean_source(file.read())
        suggestion.source_image.save(f"{secrets.token_hex(16)}.jpg", ContentFile(clean), save=False)
    stored: Suggestion = Suggestion.objects.get_or_create(
        trials=first.group,
        defaults={"text": suggestion.text, "mode": suggestion.mode, "source_image": suggestion.source_image.name or ""},
    )[0]
    return stored


def accept(suggestion: Suggestion, competition: Competition) -> Prompt:
    """Make it a prompt of the competition. Nothing is generated yet: "Ask the models" shows the price first."""
    if competition.category.is_private:
        raise NotAccepted(f"{competition} is private, and its visitor would see it named.")
    if competition.category.mode != suggestion.mode:
        raise NotAccepted(
            f"{competition} is about {competition.category.name}, the suggestion about {suggestion.mode}."
        )
    with transaction.atomic():
        prompt: Prompt = Prompt.everything.get_or_create(
            competition=competition,
            text=suggestion.text,
            source_image=suggestion.source_image.name or "",
            defaults={"position": competition.prompts.count()},
        )[0]
        suggestion.prompt, suggestion.decided_at = prompt, timezone.now()
        suggestion.save(update_fields=["prompt", "decided_at"])
    return prompt


def merge(suggestion: Suggestion, prompt: Prompt) -> None:
    """It says what a public prompt says already: that is what became of it."""
    if prompt.competition.category.is_private or prompt.competition.category.mode != suggestion.mode:
        raise NotAccepted(f"{prompt} asks for something else, or is private.")
    suggestion.prompt, suggestion.decided_at = prompt, timezone.now()
    suggestion.save(update_fields=["prompt", "decided_at"])


def decline(suggestion: Suggestion, reason: str) -> None:
    """Its visitor reads the reason."""
    suggestion.decline_reason, suggestion.decided_at = reason, timezone.now()
    suggestion.save(update_fields=["decline_reason", "decided_at"])


def alike(suggestion: Suggestion, limit: int = 3) -> list[Prompt]:
    """The current public prompts of the same mode that are nearly the same, the likest first."""
    prompts: QuerySet[Prompt] = Prompt.objects.current().filter(competition__category__mode=suggestion.mode)
    similar = prompts.annotate(alike=TrigramSimilarity("text", suggestion.text)).filter(alike__gte=NEAR)
    return list(similar.select_related("competition").order_by("-alike", "pk")[:limit])


def twins(suggestion: Suggestion) -> int:
    """How many others wait with the same text, whatever its case."""
    others = Suggestion.objects.filter(decided_at=None, mode=suggestion.mode, text__iexact=suggestion.text)
    return int(others.exclude(pk=suggestion.pk).count())
