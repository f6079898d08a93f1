"""Which model for me: what passes a buyer's limits, and of that, what nothing else beats. Pure.

A candidate is one model as one provider sells it, since price, speed and parameters belong to the seller. Candidates
that pass are compared by Elo and price, and by speed where the buyer limits it: the *front* are those than which no
other is at least as good in everything and better in something. Where a figure the comparison needs is not known, or
the rating is provisional, the answer is that there is not enough data; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MISSING = {
    "rating": "too few votes for its rating to be believed",
    "price": "no price is known",
    "seconds": "too few calls in 30 days to say how long it takes",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model at one provider. None is unknown."""

    model: str
    provider: str
    elo: float
    half_width: float | None  # of the 95 % interval; None while it has no bound
    is_provisional: bool = False
    price: Decimal | None = None  # USD per image
    seconds: float | None = None  # median
    keeper_rate: float | None = None  # share of its votes that were not both-bad
    success_rate: float | None = None
    licence: str = ""
    open_weights: bool = False
    takes: frozenset[str] = frozenset()  # parameters
    sizes: frozenset[str] = frozenset()  # "2K", and "16:9" of any resolution
    about: Any = None  # what a page shows of it

    @property
    def cost_per_keeper(self) -> Decimal | None:
        """What an image costs that is neither failed nor voted both-bad: price ÷ share of those.

        A failure counts in full, though not every provider charges for it; unknown shares count as 1.
        """
        share = Decimal(str((1 if self.keeper_rate is None else self.keeper_rate) * (self.success_rate or 1)))
        return None if self.price is None or share <= 0 else self.price / share


@dataclass(frozen=True, slots=True)
class CandidateFilters:
    """What a buyer needs; what is not set does not matter."""

    budget: Decimal | None = None  # USD per image, at most
    seconds: float | None = None  # median, at most
    open_weights: bool = False
    licence: str = ""
    takes: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """The front from the best rated down; what it beats; what lacks data, by what is missing; what did not pass."""

    front: tuple[Candidate, ...] = ()
    beaten: tuple[Candidate, ...] = ()
    unknown: tuple[tuple[Candidate, str], ...] = ()
    refused: dict[str, int] = field(default_factory=dict)  # filter → how many fail it, each candidate at its first

    @property
    def passed(self) -> int:
        return len(self.front) + len(self.beaten)


def choose(candidates: Iterable[Candidate], filters: CandidateFilters) -> Choice:
    """Each candidate exactly once: on the Pareto front, beaten by it, without a figure that a filter needs, or counted
    under the filter that rejects it. Best first."""
    passed: list[Candidate] = []
    unknown: list[tuple[Candidate, str]] = []
    refused: dict[str, int] = {}
    for candidate in candidates:
        if reason := _refusal(candidate, filters):
            refused[reason] = refused.get(reason, 0) + 1
        elif missing := _missing(candidate, filters):
            unknown.append((candidate, missing))
        else:
            passed.append(candidate)
    with_speed = filters.seconds is not None
    front = [
        candidate for candidate in passed if not any(beats(other, candidate, with_speed=with_speed) for other in passed)
    ]
    beaten = [candidate for candidate in passed if candidate not in front]
    return Choice(
        tuple(sorted(front, key=_best_first)),
        tuple(sorted(beaten, key=_best_first)),
        tuple(sorted(unknown, key=lambda pair: _best_first(pair[0]))),
        refused,
    )


def beats(one: Candidate, other: Candidate, *, with_speed: bool) -> bool:
    """At least as good in everything compared and better in something. Both have passed, so nothing is unknown."""
    ours, theirs = _goods(one, with_speed), _goods(other, with_speed)
    return all(a >= b for a, b in zip(ours, theirs, strict=True)) and ours != theirs


def preferred(elo: float, other: float) -> float:
    """The share of votes that a model of this Elo gets against the other, ties being half (Bradley–Terry)."""
    return float(1 / (1 + 10 ** (min(max(other - elo, -4000.0), 4000.0) / 400)))


def preferences(front: Sequence[Candidate]) -> list[list[float | None]]:
    """P(row preferred to column); None for a model against itself, which two providers may sell."""
    return [[None if one.model == other.model else preferred(one.elo, other.elo) for other in front] for one in front]


def _goods(candidate: Candidate, with_speed: bool) -> tuple[float | Decimal, ...]:
    assert candidate.price is not None
    goods: tuple[float | Decimal, ...] = (candidate.elo, -candidate.price)
    if not with_speed:
        return goods
    assert candidate.seconds is not None
    return (*goods, -candidate.seconds)


def _refusal(candidate: Candidate, filters: CandidateFilters) -> str:
    """The first filter that the candidate is known to fail."""
    if filters.budget is not None and candidate.price is not None and candidate.price > filters.budget:
        return "budget"
    if filters.seconds is not None and candidate.seconds is not None and candidate.seconds > filters.seconds:
        return "seconds"
    if filters.open_weights and not candidate.open_weights:
        return "weights"
    if filters.licence and candidate.licence != filters.licence:
        return "licence"
    if not filters.takes <= candidate.takes:
        return "takes"
    return "" if filters.sizes <= candidate.sizes else "sizes"


def _missing(candidate: Candidate, filters: CandidateFilters) -> str:
    """What is not known of a candidate that passes otherwise, as a key of `MISSING`."""
    if candidate.is_provisional or candidate.half_width is None:
        return "rating"
    if candidate.price is None:
        return "price"
    return "seconds" if filters.seconds is not None and candidate.seconds is None else ""


def _best_first(candidate: Candidate) -> tuple[float, Decimal, str, str]:
    return (-candidate.elo, candidate.price or Decimal(0), candidate.model, candidate.provider)
