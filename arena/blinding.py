"""Which images a voter may not see with their makers' names yet.

A voter who is asked about a prompt must not come across its images beside model names. The whole prompt is held back,
not only the two images of the battle: what is missing would otherwise tell which two they are.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from .models import Battle, Competition, Voter


def open_prompts(voter: Voter | None) -> frozenset[int]:
    """Ids of the prompts on which this voter can still answer a battle: shown, preloaded, or expired and owed again.

    Pages that show entries with names leave those of these prompts out, all of them, and say so. They vary by cookie.
    """
    if voter is None:
        return frozenset()
    can_be_answered = Q(expires_at__gt=timezone.now()) | Q(prompt__competition__in=Competition.objects.open())
    return frozenset(Battle.objects.owed().filter(can_be_answered, voter=voter).values_list("prompt", flat=True))
