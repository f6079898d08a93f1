"""Which images a voter may not see with their makers' names yet.

A voter who is asked about a prompt must not come across its images beside model names. The whole prompt is hidden,
not only the two images of the battle: what is missing would otherwise tell which two they are.
"""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from . import voters
from .models import Battle, Competition, Voter


def open_prompts_of(request: HttpRequest) -> frozenset[int]:
    """The same for every caller: no query without a voter's cookie, one for each request with it."""
    known: frozenset[int] | None = getattr(request, "_open_prompts", None)
    if known is None:
        known = open_prompts(voters.named(request))
        request._open_prompts = known  # type: ignore[attr-defined]
    return known


def open_prompts(voter: Voter | int | None) -> frozenset[int]:
    """Ids of the prompts on which this voter can still answer a battle: shown, preloaded, or expired and owed again.

    Pages that show entries with names leave those of these prompts out, all of them, and say so. They vary by cookie.
    """
    if voter is None:
        return frozenset()
    can_be_answered = Q(expires_at__gt=timezone.now()) | Q(prompt__competition__in=Competition.objects.open())
    return frozenset(Battle.objects.owed().filter(can_be_answered, voter=voter).values_list("prompt", flat=True))
