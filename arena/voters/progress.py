"""How far a voter has come, and how others answered what they have just answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from arena import pairing
from arena.models import Category, Competition, Prompt, Voter, VoterProgress

GOAL = 20  # votes until a ranking of one's own says more than the public one


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a category a voter has answered. Pairs that are only loaded ahead are not seen."""

    votes: int
    seen: int
    available: int

    @property
    def goal(self) -> int:
        return GOAL

    @property
    def missing(self) -> int:
        return max(0, GOAL - self.votes)

    @property
    def is_done(self) -> bool:
        return 0 < self.available <= self.seen


@dataclass(frozen=True, slots=True)
class Course:
    """A voter's progress in one competition."""

    competition: Competition
    seen: int
    available: int


def of(voter: Voter | int | None, category: Category) -> Progress:
    """The voter's counts in the category, skips being seen but not votes."""
    available = pairing.pool(category).size
    row = None if voter is None else VoterProgress.objects.filter(voter=voter, category=category).first()
    return Progress(0, 0, available) if row is None else Progress(row.votes, row.seen, available)


def by_competition(voter: Voter | None, category: Category) -> list[Course]:
    """The open competitions that have pairs, and how many of them the voter has seen."""
    pool = pairing.pool(category)
    prompts = dict(zip(pool.prompts, pool.battles_of.tolist(), strict=True))
    seen: dict[int, int] = {}
    if voter is not None:
        answered = voter.battles.filter(prompt__in=prompts).exclude(vote=None, skipped_at=None)
        seen = dict(answered.values_list("prompt__competition").annotate(n=Count("*")).order_by())
    available: dict[int, int] = {}
    for prompt, competition in Prompt.everything.filter(pk__in=prompts).values_list("pk", "competition"):
        available[competition] = available.get(competition, 0) + prompts[prompt]
    return [
        Course(competition, seen.get(competition.pk, 0), available[competition.pk])
        for competition in Competition.everything.filter(pk__in=available).order_by("pk")
        if available[competition.pk]
    ]
