"""Simulated arenas for which the truth is known: who votes, on which prompts, with what tastes.

A voter and a prompt each add a taste of their own to every model's strength, drawn afresh for every world. The truth is
what infinitely many voters and prompts, each as often, would give: the Bradley–Terry fit of the expected scores. Where
there are competitions, they are what they are: other voters and prompts of the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leaderboard.rating import elo
from leaderboard.rating.ways import Part, RawVotes

HERMITE = np.polynomial.hermite_e.hermegauss(41)  # nodes and weights of the standard normal


@dataclass(frozen=True)
class World:
    """Strengths and tastes in nats. `zipf` 0: every voter votes as often; 1: the n-th busiest a n-th as often."""

    models: int = 16
    votes: int = 8_000
    voters: int = 300
    prompts: int = 100
    zipf: float = 0.0
    voter_taste: float = 0.0
    prompt_taste: float = 0.0
    strength: float = 0.35
    ties: float = 0.15
    cap: int | None = None  # votes of one voter that count
    busy: int = 0  # the first voters, or imported experts, who …
    busy_share: float = 0.0  # … cast this share of all votes, evenly among them
    bridge: int | None = None  # the models are two halves, and so many votes join them
    competitions: int = 1  # a voter sees only one; the number of prompts is a multiple of it
    competition_taste: float = 0.0  # which all prompts of a competition share


WORLDS = {
    "independent": World(),
    "Zipf(1), cap 200": World(zipf=1, voter_taste=0.5, cap=200),
    "Zipf(1), no cap": World(zipf=1, voter_taste=0.5),
    "40 voters": World(voters=40, voter_taste=0.5),
    "32 voters": World(voters=32, voter_taste=0.5),
    "12 prompts": World(prompts=12, prompt_taste=0.4),
}
# Not in the specification: shapes that arenas take, and some that they should not.
OTHER_WORLDS = {
    "50 models": World(models=50, votes=40_000, voters=1_500, prompts=300, zipf=1, voter_taste=0.5, prompt_taste=0.3, cap=200),
    "50 models, young": World(models=50, votes=6_000, voters=400, prompts=300, zipf=1, voter_taste=0.5, prompt_taste=0.3),
    "both tastes": World(zipf=1, voter_taste=0.5, prompts=40, prompt_taste=0.3, cap=200),
    "three, 12 prompts": World(models=3, votes=2_000, voters=60, prompts=12, zipf=1, voter_taste=0.4, prompt_taste=0.4, cap=60),
    "eight, plain": World(models=8, votes=2_500),
    "eight, 60 prompts": World(models=8, votes=2_500, voters=250, voter_taste=0.5, prompts=60, prompt_taste=0.2),
    "many ties": World(models=10, votes=6_000, voters=150, voter_taste=0.5, prompts=40, prompt_taste=0.3, ties=0.6),
    "team of ten": World(models=6, votes=800, voters=10, prompts=12, voter_taste=0.5, prompt_taste=0.3),
    "one busy voter": World(prompts=12, prompt_taste=0.4, voter_taste=0.5, busy=1, busy_share=0.7),
    "one prompt": World(prompts=1, voter_taste=0.5),
    "mostly ties": World(ties=0.9, voter_taste=0.3),
    "import of 10 ×": World(votes=11_000, voters=320, voter_taste=0.5, prompt_taste=0.3, busy=20, busy_share=10 / 11),
    "two halves, 20 votes": World(prompts=60, voter_taste=0.5, prompt_taste=0.3, bridge=20),
    "two halves, 80 votes": World(prompts=60, voter_taste=0.5, prompt_taste=0.3, bridge=80),
    "equals": World(strength=0.0, voter_taste=0.5, prompt_taste=0.3),
    "equals, 30 prompts": World(models=8, votes=4_000, strength=0.0, voter_taste=0.5, prompts=30, prompt_taste=0.3),
    "four competitions": World(models=10, votes=5_000, voters=240, voter_taste=0.4, prompts=40, prompt_taste=0.25, competitions=4, competition_taste=0.2),
    "far apart": World(strength=1.5, voter_taste=0.5, prompt_taste=0.3),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Votes:
    """One array entry a vote; `truth` [K] in Elo, mean 1000."""

    models: int
    voter: Any
    prompt: Any
    left: Any
    right: Any
    score: Any
    truth: Any

    @property
    def cells(self) -> elo.Cells:
        key = (self.left * self.models + self.right) * 3 + (2 * self.score).astype(np.int64)
        n = np.bincount(key, minlength=3 * self.models**2)
        at = np.flatnonzero(n)
        names = tuple(f"m{index:03}" for index in range(self.models))
        pair = at // 3
        return elo.Cells(names, pair // self.models, pair % self.models, at % 3 / 2, n[at].astype(np.float64))

    @property
    def raw(self) -> RawVotes:
        return RawVotes([self._part(self.voter)], [self._part(self.prompt)])

    def _part(self, cluster: Any) -> Part:
        codes = np.unique(cluster, return_inverse=True)[1]
        return Part(codes, self.left, self.right, self.score, int(codes.max(initial=-1)) + 1)

    def first(self, count: int) -> Votes:
        columns = {name: getattr(self, name)[:count] for name in ("voter", "prompt", "left", "right", "score")}
        return replace(self, **columns)


def truth(world: World, strengths: Any) -> Any:
    """The fit of the expected scores of every pair, in Elo. `strengths` [competitions, K] in nats."""
    k = world.models
    deviation = np.sqrt(2 * (world.voter_taste**2 + world.prompt_taste**2))
    nodes, weights = HERMITE
    difference = (strengths[:, :, None] - strengths[:, None, :])[..., None] + deviation * nodes
    wins = ((1 / (1 + np.exp(-difference))) @ (weights / weights.sum())).mean(0)
    left, right = np.nonzero(~np.eye(k, dtype=bool))
    n = np.concatenate([(1 - world.ties) * wins[left, right], (1 - world.ties) * wins[right, left],
                        np.full(left.size, world.ties)])  # fmt: skip
    score = np.repeat([1.0, 0.0, 0.5], left.size)
    names = tuple(f"m{index:03}" for index in range(k))
    return elo.fit(elo.Cells(names, np.tile(left, 3), np.tile(right, 3), score, n)).elo


@dataclass(frozen=True, eq=False)
class Arena:
    """A world's models, voters and prompts: draw votes of it as often as you like."""

    world: World
    strength: Any
    voter_tastes: Any
    prompt_tastes: Any
    competition_tastes: Any

    @classmethod
    def of(cls, world: World, seed: int, strength: Any = None) -> Arena:
        rng = np.random.default_rng([seed, 0])
        if strength is None:
            strength = rng.normal(0, world.strength, world.models)
        of_voters, of_prompts = (
            rng.normal(0, taste, (number, world.models)) if taste else np.zeros((number, world.models))
            for taste, number in ((world.voter_taste, world.voters), (world.prompt_taste, world.prompts))
        )
        shared = rng.normal(0, world.competition_taste, (world.competitions, world.models))
        of_prompts += shared[np.arange(world.prompts) % world.competitions]
        return cls(world, strength - strength.mean(), of_voters, of_prompts, shared)

    def votes(self, count: int, seed: int, pairs: Any = None) -> Votes:
        """`count` votes, less what the cap leaves out. `pairs`: the distribution of ordered pairs [K, K]; None: even."""
        world, rng, k = self.world, np.random.default_rng([seed, 1]), self.world.models
        share = 1 / np.arange(1, world.voters + 1) ** world.zipf
        if world.busy:
            share[: world.busy] = share[world.busy :].sum() / world.busy * world.busy_share / (1 - world.busy_share)
        voter = rng.choice(world.voters, count, p=share / share.sum())
        if world.cap is not None:
            order = np.argsort(voter, kind="stable")
            counted = np.empty(count, np.bool_)
            counted[order] = np.arange(count) - np.searchsorted(voter[order], voter[order]) < world.cap
            voter = voter[counted]
        count = voter.size
        prompt = rng.integers(0, world.prompts, count)
        prompt += voter % world.competitions - prompt % world.competitions
        if pairs is None:
            left = rng.integers(0, k, count)
            right = (left + rng.integers(1, k, count)) % k
            if world.bridge is not None:
                half, joins = k // 2, np.arange(count) < world.bridge
                inside = left // half * half + (left + rng.integers(1, half, count)) % half
                right = np.where(joins, (left + half) % k, inside)
        else:
            left, right = np.divmod(rng.choice(k * k, count, p=(pairs / pairs.sum()).ravel()), k)
        difference = self.strength[left] - self.strength[right]
        for tastes, who in ((self.voter_tastes, voter), (self.prompt_tastes, prompt)):
            difference = difference + tastes[who, left] - tastes[who, right]
        score = np.where(rng.random(count) < world.ties, 0.5, rng.random(count) < 1 / (1 + np.exp(-difference)))
        return Votes(k, voter, prompt, left, right, score, truth(world, self.strength + self.competition_tastes))


def draw(world: World, seed: int, strength: Any = None) -> Votes:
    """The world's votes, in the order in which they were cast. `strength` [K] in nats."""
    return Arena.of(world, seed, strength).votes(world.votes, seed)


def together(one: Votes, other: Votes) -> Votes:
    columns = ("voter", "prompt", "left", "right", "score")
    joined: dict[str, Any] = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in columns}
    return replace(one, **joined)
