"""Kinds of simulated voters, honest and not, and the boards they vote on. Every kind makes (left, right, y) of n votes:
y is 1 where the left one wins, -1 where the right one does, 0 for a tie."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.integrity import evidence

STRENGTH = 0.35  # sd of strengths, nats
PEOPLE_CAST = 20  # votes of each of the people behind a board
THUMB = math.log(0.63 / 0.37)  # nats towards one side


@dataclass(frozen=True)
class Board:
    """A board of honest votes: true strengths, decided wins [K, K], and what the watch makes of them."""

    strength: Any
    wins: Any
    reference: evidence.Consensus

    @property
    def models(self) -> int:
        return int(self.strength.size)


@dataclass(frozen=True)
class Person:
    """One voter's inner life: strengths as this voter sees them [K], ability, habit of side (nats), rate of ties."""

    strength: Any
    ability: float
    side: float
    ties: float


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def person(rng: Any, strength: Any, taste: float) -> Person:
    return Person(strength + rng.normal(0, taste, strength.size), math.exp(rng.normal(0, 0.4)), rng.normal(0, 0.3),
                  rng.beta(1.2, 6.8))  # fmt: skip


def board(rng: Any, k: int, votes: int, taste: float = 0.5) -> Board:
    strength = rng.normal(0, STRENGTH, k)
    wins = np.zeros((k, k))
    for _ in range(max(1, votes // PEOPLE_CAST)):
        voter = person(rng, strength, taste)
        left, right = pairs(rng, k, PEOPLE_CAST)
        y = honest(rng, voter, left, right)
        np.add.at(wins, (np.where(y > 0, left, right)[y != 0], np.where(y > 0, right, left)[y != 0]), 1)
    return Board(strength, wins, evidence.reference(wins))


def pairs(rng: Any, k: int, n: int) -> tuple[Any, Any]:
    left = rng.integers(0, k, n)
    return left, (left + rng.integers(1, k, n)) % k


def with_target(rng: Any, k: int, n: int, target: int) -> tuple[Any, Any]:
    other = (target + rng.integers(1, k, n)) % k
    turned = rng.random(n) < 0.5
    return np.where(turned, target, other), np.where(turned, other, target)


def honest(rng: Any, voter: Person, left: Any, right: Any) -> Any:
    d = voter.ability * (voter.strength[left] - voter.strength[right]) + voter.side
    y = np.where(rng.random(left.size) < sigmoid(d), 1, -1)
    return np.where(rng.random(left.size) < voter.ties, 0, y)


Votes = tuple[Any, Any, Any]
Kind = Callable[[Any, Board, int, float], Votes]


def people(rng: Any, made: Board, n: int, taste: float) -> Votes:
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, person(rng, made.strength, taste), left, right)


def fan(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, and truly fond of one model: as the one voter in fifty whose taste for it is 2 sd above the others'."""
    voter = person(rng, made.strength, taste)
    voter.strength[0] = made.strength[0] + 2 * 0.5
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, voter, left, right)


def expert(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, sees differences half as sharply again as the others do, and rarely finds two equal."""
    voter = Person(made.strength + rng.normal(0, taste, made.models), 1.5, 0.0, 0.02)
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, voter, left, right)


def undecided(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, and finds half of the pairs equal or both bad."""
    voter = person(rng, made.strength, taste)
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, Person(voter.strength, voter.ability, voter.side, 0.5), left, right)


def with_one_thumb(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, on a phone held in one hand: of two equals the near one is taken in 63 of 100 cases."""
    voter = person(rng, made.strength, taste)
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, Person(voter.strength, voter.ability, THUMB, voter.ties), left, right)


def of_one_style(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, and fond of a style that a quarter of the models share."""
    voter = person(rng, made.strength, taste)
    voter.strength[: max(1, made.models // 4)] += 0.8
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, voter, left, right)


def contrarian(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """Honest, and sees the models the other way round: what most find best is the worst."""
    voter = person(rng, -made.strength, taste)
    left, right = pairs(rng, made.models, n)
    return left, right, honest(rng, voter, left, right)


def always_left(rng: Any, made: Board, n: int, taste: float) -> Votes:
    return (*pairs(rng, made.models, n), np.ones(n, np.int64))


def mostly_left(rng: Any, made: Board, n: int, taste: float) -> Votes:
    return (*pairs(rng, made.models, n), np.where(rng.random(n) < 0.9, 1, -1))


def always_tie(rng: Any, made: Board, n: int, taste: float) -> Votes:
    return (*pairs(rng, made.models, n), np.zeros(n, np.int64))


def copies(rng: Any, made: Board, n: int, taste: float) -> Votes:
    left, right = pairs(rng, made.models, n)
    shown = made.reference.strength
    return left, right, np.where(shown[left] >= shown[right], 1, -1)


def for_target(left: Any, right: Any, target: int) -> Any:
    return np.where(left == target, 1, -1)


def picks_pairs(rng: Any, made: Board, n: int, taste: float) -> Votes:
    target = made.models // 2
    left, right = with_target(rng, made.models, n, target)
    return left, right, for_target(left, right, target)


def picks_half(rng: Any, made: Board, n: int, taste: float) -> Votes:
    """As `picks_pairs`, and every second vote an honest one on a pair as it comes."""
    target = made.models // 2
    left, right = pairs(rng, made.models, n)
    y = honest(rng, person(rng, made.strength, taste), left, right)
    left[::2], right[::2] = with_target(rng, made.models, left[::2].size, target)
    y[::2] = for_target(left[::2], right[::2], target)
    return left, right, y


def as_they_come(rng: Any, made: Board, n: int, taste: float) -> Votes:
    target = made.models // 2
    left, right = pairs(rng, made.models, n)
    y = honest(rng, person(rng, made.strength, taste), left, right)
    plays = (left == target) | (right == target)
    return left, right, np.where(plays, for_target(left, right, target), y)


def influences(rng: Any, made: Board, n: int, taste: float) -> Votes:
    target = made.models // 2
    left, right = pairs(rng, made.models, n)
    pull = made.reference.covariance[target]
    return left, right, np.where(pull[left] >= pull[right], 1, -1)


def influences_half(rng: Any, made: Board, n: int, taste: float) -> Votes:
    left, right, y = influences(rng, made, n, taste)
    own = honest(rng, person(rng, made.strength, taste), left, right)
    return left, right, np.where(np.arange(n) % 2, own, y)


def at_random(rng: Any, made: Board, n: int, taste: float) -> Votes:
    return (*pairs(rng, made.models, n), np.where(rng.random(n) < 0.5, 1, -1))


HONEST: dict[str, Kind] = {
    "honest": people, "a fan, 2 sd": fan, "an expert": expert, "half are ties": undecided,
    "one thumb": with_one_thumb, "one style": of_one_style,
}  # fmt: skip
# Not ordinary, and not dishonest: what the tests do not promise to spare.
UNLIKE_ANYBODY: dict[str, Kind] = {"sees it the other way round": contrarian}
RIGGERS: dict[str, Kind] = {
    "always left": always_left, "left 9 of 10": mostly_left, "always tie": always_tie, "copies the consensus": copies,
    "one model, picks pairs": picks_pairs, "… every second honest": picks_half, "influence": influences,
    "… every second honest ": influences_half, "one model, as they come": as_they_come, "random clicks": at_random,
}  # fmt: skip
MUST_CATCH = ("always left", "always tie", "copies the consensus", "one model, picks pairs", "influence")
