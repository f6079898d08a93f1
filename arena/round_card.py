"""What a finished round of five votes shows: the images preferred, how its answers stand to others', one sentence.

Five votes describe, they prove no taste: every sentence is in the past tense. `sentence` is pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from . import reveals, rounds
from .models import Category, Entry, Outcome, Vote
from .reveals import AnsweredPair, Crowd

_TIMES = ("", "once", "twice", "three times", "four times", "five times")
_NUMBERS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class RoundVote:
    """One answer of a round. `large` is the image preferred, or the left one where none was."""

    large: Entry
    small: Entry
    outcome: str
    crowd: Crowd
    battle: UUID
    shape: str
    counts: bool

    @property
    def battle_url(self) -> str:
        return f"/battles/{self.battle}/"

    @property
    def is_decided(self) -> bool:
        return self.outcome in (Outcome.LEFT, Outcome.RIGHT)

    @property
    def against(self) -> str:
        """How the smaller image relates to the large one."""
        return "over" if self.is_decided else "tied with" if self.outcome == Outcome.TIE else "neither, nor"

    @property
    def stand(self) -> str:
        """In two or three words, how the answer stands to others."""
        if self.crowd.stand == "split":
            return "others are split" if self.crowd.basis == "votes" else "too close to call"
        side = "most" if self.crowd.basis == "votes" else "the favourite"
        return f"{self.crowd.stand} {side}" if self.crowd.stand else "first to vote" if self.is_decided else ""


@dataclass(frozen=True, slots=True)
class RoundCard:
    number: int
    votes: tuple[RoundVote, ...]

    @property
    def headline(self) -> str:
        return sentence(self.votes)

    @property
    def judged(self) -> int:
        """Answers that can be held against others'."""
        return sum(vote.crowd.stand in ("with", "against") for vote in self.votes)

    @property
    def with_most(self) -> int:
        return sum(vote.crowd.stand == "with" for vote in self.votes)

    @property
    def measure(self) -> str:
        """What the answers are held against: others' votes, expectations, or both."""
        by = {vote.crowd.basis for vote in self.votes if vote.crowd.stand in ("with", "against")}
        return "most" if by == {"votes"} else "the favourite" if by == {"expected"} else "most or the favourite"

    @property
    def share(self) -> int:
        """Of the answers that agree, in per cent."""
        return round(100 * self.with_most / self.judged) if self.judged else 50


def sentence(votes: Sequence[RoundVote]) -> str:
    """The first of these that is true: a model always picked, one never picked, often against most, always with most,
    often neither; else the closest call."""
    shown: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for vote in votes:
        for entry in (vote.large, vote.small):
            shown[entry.image_model.name] += 1
        if vote.is_decided:
            won[vote.large.image_model.name] += 1
    often = [name for name, times in shown.most_common() if times >= 3]
    for name in often:
        if won[name] == shown[name]:
            return f"You picked {name} all {_TIMES[shown[name]]} you saw it."
    for name in often:
        lost = sum(vote.is_decided and vote.small.image_model.name == name for vote in votes)
        if lost == shown[name]:
            return f"{name} lost all {_TIMES[shown[name]]} you saw it."
    stands = Counter(vote.crowd.stand for vote in votes)
    if stands["against"] >= 3:
        return f"You went your own way on {stands['against']} of {len(votes)}."
    if len(votes) == stands["with"] > 1:
        return f"You and the crowd agree on all {_NUMBERS[len(votes)]}."
    if (bad := sum(vote.outcome == Outcome.BOTH_BAD for vote in votes)) >= 3:
        return f"Hard to please: {_TIMES[bad]} neither."
    closest = min(votes, key=lambda vote: abs(vote.crowd.left - 50) if vote.crowd.basis else 50)
    return f"Closest call: {closest.large.image_model.name} against {closest.small.image_model.name}."


def read(voter: int, category: Category, number: int) -> RoundCard | None:
    """The voter's round of this number in the category; None before it has a vote."""
    first = (number - 1) * rounds.SIZE
    cast = (
        Vote.objects.filter(voter=voter, category=category)
        .select_related("battle__left__image_model", "battle__right__image_model", "battle__prompt__competition")
        .order_by("cast_at", "pk")[first : first + rounds.SIZE]
    )
    votes = tuple(_vote(vote) for vote in cast)
    return RoundCard(number, votes) if votes else None


def _vote(vote: Vote) -> RoundVote:
    left, right = vote.battle.left, vote.battle.right
    low, high, ties, both_bad = reveals.image_tally(left.pk, right.pk)
    pair = AnsweredPair(
        category=vote.category_id,
        left_model=vote.left_model_id,
        right_model=vote.right_model_id,
        outcome=vote.outcome,
        counts=not vote.excluded_reason,
        cast_at=vote.cast_at,
        left_wins=low if left.pk < right.pk else high,
        right_wins=high if left.pk < right.pk else low,
        ties=ties,
        both_bad=both_bad,
    )
    large, small = (right, left) if vote.outcome == Outcome.RIGHT else (left, right)
    shape = vote.battle.prompt.competition.shape
    shown = reveals.extras.reveal(pair)
    return RoundVote(large, small, vote.outcome, shown.crowd, vote.battle_id, shape, not vote.excluded_reason)
