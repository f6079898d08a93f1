"""Which images a reader may not see with their makers' names yet.

A voter who is asked about a prompt must not come across its images beside model names. The whole prompt is hidden,
not only the two images of the battle: what is missing would otherwise tell which two they are.

Beyond that a competition says when its prompts are unveiled. `always`: at once. `after_vote`: while a prompt is in
play, for voters who have answered it, and for everybody once it left play – its competition closed, it was retired, or
it got the votes it was meant to get. So a dictionary of who made which picture costs a vote for each prompt.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from arena import voters
from providers.cache import ProcessCache

from .models import Battle, Competition, Prompt, Vote, Voter

# Of the whole site, under one key; a prompt that comes into play has no votes yet, so seconds late is early enough.
_veiled: ProcessCache[str, frozenset[int]] = ProcessCache(seconds=3.0, max_entries=1)


@dataclass(frozen=True, slots=True)
class HiddenPrompts:
    """Ids of prompts whose images this reader must not see beside names; and whether that is this reader's own list."""

    prompts: frozenset[int]
    is_personal: bool


def open_prompts_of(request: HttpRequest) -> frozenset[int]:
    """Ids of the prompts that pages with names leave out for this reader."""
    return of_reader(request).prompts


def of_reader(request: HttpRequest) -> HiddenPrompts:
    """The same for every caller: no query of its own without a voter's cookie, one or two for each request with it."""
    known: HiddenPrompts | None = getattr(request, "_hidden_prompts", None)
    if known is None:
        voter, veiled = voters.named(request), veiled_prompts()
        own = open_prompts(voter)
        answered = _answered(voter, veiled)
        known = HiddenPrompts(own | (veiled - answered), bool(own - veiled or answered))
        request._hidden_prompts = known  # type: ignore[attr-defined]  # read above
    return known


def open_prompts(voter: Voter | int | None) -> frozenset[int]:
    """Ids of the prompts on which this voter can still answer a battle: shown, preloaded, or expired and owed again.

    Pages that show entries with names leave those of these prompts out, all of them, and say so. They vary by cookie.
    """
    if voter is None:
        return frozenset()
    is_asked_again = Q(prompt__competition__in=Competition.everything.open(), prompt__completed_at=None)
    can_be_answered = Q(expires_at__gt=timezone.now()) | is_asked_again
    return frozenset(Battle.objects.owed().filter(can_be_answered, voter=voter).values_list("prompt", flat=True))


def veiled_prompts() -> frozenset[int]:
    """Ids of the prompts in play whose images are unveiled by a vote only."""
    return _veiled.get_or_compute("", _read_veiled)


def _read_veiled() -> frozenset[int]:
    competitions = Competition.everything.open().filter(unveiling=Competition.Unveiling.AFTER_VOTE)
    prompts = Prompt.everything.current().filter(competition__in=competitions, completed_at=None)
    return frozenset(prompts.order_by().values_list("pk", flat=True))


def _answered(voter: int | None, veiled: frozenset[int]) -> frozenset[int]:
    """Which of these prompts the voter has voted on."""
    if voter is None or not veiled:
        return frozenset()
    votes = Vote.objects.filter(voter=voter, battle__prompt__in=veiled)
    return frozenset(votes.values_list("battle__prompt", flat=True))


def complete_prompts() -> int:
    """Take prompts out of play that have the counted votes that their competition aims at; returns how many."""
    due = Prompt.everything.raw(_COMPLETE)
    pks = [prompt.pk for prompt in due]
    open_ones = Prompt.everything.filter(pk__in=pks, completed_at=None)
    return int(open_ones.update(completed_at=timezone.now())) if pks else 0


_COMPLETE = """
SELECT p.id FROM arena_prompt p
JOIN arena_competition c ON c.id = p.competition_id AND c.target_votes IS NOT NULL AND c.is_published
WHERE p.completed_at IS NULL AND p.retired_at IS NULL AND c.target_votes <= (
    SELECT sum(t.low_wins + t.high_wins + t.ties + t.both_bad) FROM arena_imagetally t
    JOIN arena_entry e ON e.id = t.low_id WHERE e.prompt_id = p.id
)
"""
