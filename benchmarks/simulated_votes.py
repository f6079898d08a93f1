"""Votes for `benchmarks.ratings` and its references, many and quickly: by the million, with a truth that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from leaderboard.rating import elo


@dataclass(frozen=True)
class Votes:
    """Simulated votes: uniform pairs, 10 % ties, voters drawn evenly or by Zipf's law, with tastes of their own."""

    k: int
    voter: Any
    left: Any
    right: Any
    score: Any
    truth: Any

    @property
    def cells(self) -> elo.Cells:
        key = (self.left.astype(np.int64) * self.k + self.right) * 3 + (2 * self.score).astype(np.int64)
        n = np.bincount(key, minlength=3 * self.k**2).astype(np.float64)
        at = np.flatnonzero(n)
        names = tuple(f"m{index:03}" for index in range(self.k))
        return elo.Cells(names, at // 3 // self.k, at // 3 % self.k, at % 3 / 2, n[at])


def simulate(
    k: int, count: int, seed: int = 0, voters: int = 50_000, zipf: float = 0.0, taste: float = 0.0, spread: float = 0.7
) -> Votes:
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, spread, k)
    strength -= strength.mean()
    share = 1 / np.arange(1, voters + 1) ** zipf
    voter = rng.choice(voters, count, p=share / share.sum()).astype(np.int32)
    left = rng.integers(0, k, count).astype(np.int16)
    right = ((left + rng.integers(1, k, count)) % k).astype(np.int16)
    difference = strength[right] - strength[left]
    if taste:
        tastes = rng.normal(0, taste, (voters, k))
        difference = difference + tastes[voter, right] - tastes[voter, left]
    score = np.where(rng.random(count) < 0.1, 0.5, rng.random(count) < 1 / (1 + np.exp(difference)))
    return Votes(k, voter, left, right, score.astype(np.float32), strength)


def population_truth(strength: Any, taste: float) -> Any:
    """Ratings of the whole population: tastes average the chances, not the strengths, so fit the average chances."""
    rng = np.random.default_rng(123)
    sample = rng.normal(0, taste * math.sqrt(2), 20_000 if taste else 1)
    k = strength.size
    rows = []
    for i in range(k):
        for j in range(k):
            if i != j:
                p = 0.05 + 0.9 * float((1 / (1 + np.exp(strength[j] - strength[i] + sample))).mean())
                rows += [(f"{i:03}", f"{j:03}", "left", p), (f"{i:03}", f"{j:03}", "right", 1 - p)]
    return elo.fit(elo.Cells.from_rows(rows)).elo
