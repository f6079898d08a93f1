"""Which model for me: what fits a buyer's limits, rated or not, what would if more were known, and what is left out.

Nothing is guessed: a model whose price, time or rights are not known neither fits nor is left out by that limit. Rated
models that votes distinguish are in the order of their ratings; where they are tied, the price of a usable image
decides, and the answer says so. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from leaderboard.rating.place import Place

# Limits that leave models out, in the order in which they are shown.
REASONS = ("price", "seconds", "rights", "size", "needs", "lab", "provider", "name", "several")


class Candidate(Protocol):
    """A model in the lists."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> Place | None: ...
    @property
    def elo(self) -> float | None: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def usable_price(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class Misfit:
    """How a model stands to the limits: those it is known to fail, and those about which nothing is known."""

    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Everyone is in one of the lists or among the left out."""

    rated: tuple[Any, ...] = ()  # that fit, the answer first
    unrated: tuple[Any, ...] = ()  # that fit, the cheapest first
    possible: tuple[Any, ...] = ()  # would fit if something were known
    left_out: dict[str, int] = field(default_factory=dict)  # reason → how many, each model once
    is_clear: bool = False  # votes put the first rated one above every other that fits

    @property
    def answer(self) -> Any | None:
        return next(iter((*self.rated, *self.unrated)), None)

    @property
    def fitting(self) -> int:
        return len(self.rated) + len(self.unrated)


def choose(
    candidates: Sequence[Candidate],
    fit: Callable[[Any], Misfit],
    could_be_best: Callable[[Sequence[Any]], Sequence[Any]],
) -> Choice:
    """`could_be_best` are those of some rated models, the highest Elo first, that votes cannot put below another."""
    rated: list[Candidate] = []
    unrated: list[Candidate] = []
    possible: list[Candidate] = []
    left_out: Counter[str] = Counter()
    for candidate in candidates:
        misfit = fit(candidate)
        if misfit.failed:
            left_out[misfit.failed[0] if len(misfit.failed) == 1 else "several"] += 1
        elif misfit.unknown:
            possible.append(candidate)
        elif candidate.place is not None and candidate.place.is_known:
            rated.append(candidate)
        else:
            unrated.append(candidate)
    ordered = sorted(rated, key=lambda row: -(row.elo or 0))
    tied = list(could_be_best(ordered)) if len(ordered) > 1 else ordered
    return Choice(
        (*sorted(tied, key=_usable_first), *(row for row in ordered if row not in tied)),
        tuple(sorted(unrated, key=_cheapest)),
        tuple(sorted(possible, key=_cheapest)),
        {reason: left_out[reason] for reason in REASONS if left_out[reason]},
        len(tied) == 1,
    )


def _usable_first(row: Candidate) -> tuple[bool, Decimal, float]:
    return row.usable_price is None, row.usable_price or Decimal(0), -(row.elo or 0)


def _cheapest(row: Candidate) -> tuple[bool, Decimal, str]:
    return row.price is None, row.price or Decimal(0), row.name
