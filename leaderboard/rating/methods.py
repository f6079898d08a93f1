"""The same votes, rated three ways: why the boards show Bradley–Terry and neither win rates nor a running Elo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leaderboard.rating.elo import MEAN, Cells, Fit, fit, online_change

K = 32.0  # the classic step of a running Elo
SEEDS = (1, 2)  # of the two orders; any two will do


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One model: share of points won, running Elo after the same votes in two random orders, and Bradley–Terry."""

    model: str
    win_rate: float
    one_order: float
    other_order: float
    bradley_terry: float


def rows(cells: Cells) -> list[MethodRow]:
    """The models by Bradley–Terry rating, highest first. `cells.n` must be whole numbers; work: a step per vote."""
    rated: Fit = fit(cells)
    k = len(cells.models)
    n = cells.n
    points = np.bincount(cells.left, n * cells.score, k) + np.bincount(cells.right, n * (1 - cells.score), k)
    played = np.bincount(cells.left, n, k) + np.bincount(cells.right, n, k)
    one, other = (_running(cells, seed) for seed in SEEDS)
    return [
        MethodRow(
            rated.models[index], float(points[index] / played[index]), one[index], other[index], float(rated.elo[index])
        )
        for index in np.argsort(-rated.elo, kind="stable")
        if played[index]
    ]


def largest_difference(table: list[MethodRow]) -> float:
    """By how many points the order of the votes alone moved a running Elo."""
    return max((abs(row.one_order - row.other_order) for row in table), default=0.0)


def _running(cells: Cells, seed: int) -> list[float]:
    votes = np.repeat(np.arange(cells.n.size), cells.n.astype(np.int64))
    ratings = [MEAN] * len(cells.models)
    left, right, score = cells.left.tolist(), cells.right.tolist(), cells.score.tolist()
    for cell in np.random.default_rng(seed).permutation(votes).tolist():
        a, b = left[cell], right[cell]
        change = online_change(ratings[a], ratings[b], score[cell], K)
        ratings[a] += change
        ratings[b] -= change
    return ratings
