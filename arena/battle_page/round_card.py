"""What a finished round of five votes shows: the images preferred, how its answers stand to others', one sentence.

Five votes describe, they prove no taste: every sentence is in the past tense. `sentence` is pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext, gettext_lazy, ngettext

from arena import rounds
from arena.battle_page import reveal_registry
from arena.battle_page.reveal_registry import AnsweredPair, Crowd
from arena.models import Category, Entry, Outcome, Vote

_TIMES = {3: gettext_lazy("three times"), 4: gettext_lazy("four times"), 5: gettext_lazy("five times")}
_NUMBERS = {
    2: gettext_lazy("two"), 3: gettext_lazy("three"), 4: gettext_lazy("four"), 5: gettext_lazy("five"),
}  # fmt: skip
_STANDS = {
    ("votes", "with"): gettext_lazy("with most"),
    ("votes", "against"): gettext_lazy("against most"),
    ("votes", "split"): gettext_lazy("others are split"),
    ("expected", "with"): gettext_lazy("with the favourite"),
    ("expected", "against"): gettext_lazy("against the favourite"),
    ("expected", "split"): gettext_lazy("too close to call"),
}


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
        name = {"name": self.small.image_model.name}
        if self.is_decided:
            return gettext("over %(name)s") % name
        return (
            gettext("tied with %(name)s") if self.outcome == Outcome.TIE else gettext("neither, nor %(name)s")
        ) % name

    @property
    def large_label(self) -> str:
        """The large image, for those who do not see it."""
        name = self.large.image_model.name
        return gettext("%(name)s: your pick") % {"name": name} if self.is_decided else name

    @property
    def stand(self) -> str:
        """In two or three words, how the answer stands to others."""
        if self.crowd.stand:
            return str(_STANDS[self.crowd.basis, self.crowd.stand])
        return gettext("first to vote") if self.is_decided else ""


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
    def agreement(self) -> str:
        """How many answers agree with what they are held against: others' votes, expectations, or both."""
        if self._measures == {"votes"}:
            text = ngettext(
                "You voted with most on %(agreed)s of %(pairs)s pair.",
                "You voted with most on %(agreed)s of %(pairs)s pairs.",
                self.judged,
            )
        elif self._measures == {"expected"}:
            text = ngettext(
                "You voted with the favourite on %(agreed)s of %(pairs)s pair.",
                "You voted with the favourite on %(agreed)s of %(pairs)s pairs.",
                self.judged,
            )
        else:
            text = ngettext(
                "You voted with most or the favourite on %(agreed)s of %(pairs)s pair.",
                "You voted with most or the favourite on %(agreed)s of %(pairs)s pairs.",
                self.judged,
            )
        return text % {"agreed": self.with_most, "pairs": self.judged}

    @property
    def share_label(self) -> str:
        """The picture of that share, for those who do not see it."""
        if self._measures == {"votes"}:
            text = gettext("%(share)s per cent with most")
        elif self._measures == {"expected"}:
            text = gettext("%(share)s per cent with the favourite")
        else:
            text = gettext("%(share)s per cent with most or the favourite")
        return text % {"share": self.share}

    @property
    def _measures(self) -> set[str]:
        return {vote.crowd.basis for vote in self.votes if vote.crowd.stand in ("with", "against")}

    @property
    def share(self) -> int:
        """Of the answers that agree, in per cent."""
        return round(100 * self.with_most / self.judged) if self.judged else 50


def sentence(votes: Sequence[RoundVote]) -> str:
    """The first of these that is true: a model always picked, one never picked, often against most, always with most,
    often neither, nothing but ties; else the closest call."""
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
            times = {"name": name, "times": _TIMES[shown[name]]}
            return gettext("You picked %(name)s all %(times)s you saw it.") % times
    for name in often:
        lost = sum(vote.is_decided and vote.small.image_model.name == name for vote in votes)
        if lost == shown[name]:
            times = {"name": name, "times": _TIMES[shown[name]]}
            return gettext("%(name)s lost all %(times)s you saw it.") % times
    stands = Counter(vote.crowd.stand for vote in votes)
    if stands["against"] >= 3:
        own = {"own": stands["against"], "votes": len(votes)}
        return gettext("You went your own way on %(own)s of %(votes)s.") % own
    if len(votes) == stands["with"] > 1:
        return gettext("You and the crowd agree on all %(number)s.") % {"number": _NUMBERS[len(votes)]}
    if (bad := sum(vote.outcome == Outcome.BOTH_BAD for vote in votes)) >= 3:
        return gettext("Hard to please: %(times)s neither.") % {"times": _TIMES[bad]}
    if (ties := sum(vote.outcome == Outcome.TIE for vote in votes)) == len(votes) > 1:
        return gettext("%(number)s ties: you saw nothing between them.") % {"number": str(_NUMBERS[ties]).capitalize()}
    closest = min(votes, key=lambda vote: abs(vote.crowd.left - 50) if vote.crowd.basis else 50)
    names = {"one": closest.large.image_model.name, "other": closest.small.image_model.name}
    return gettext("Closest call: %(one)s against %(other)s.") % names


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
    low, high, ties, both_bad = reveal_registry.image_tally(left.pk, right.pk)
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
    shown = reveal_registry.extras.reveal(pair)
    return RoundVote(large, small, vote.outcome, shown.crowd, vote.battle_id, shape, not vote.excluded_reason)
