"""One voter's own ratings: what their votes say, leaning on the public ratings where they say little.

Twenty votes on a dozen models are far too few to be rated alone. So the strengths x (nats) are those that are likeliest
after the voter's votes *and* before them (a maximum a posteriori fit, MAP):

    log P(votes | x) − Σ (x_i − m_i)² / 2v_i        Bradley–Terry as in `elo`; ties are half a win

with m the public rating and v = its own variance + `TASTE`²: how far one person's taste may lie from the crowd's. Few
votes stay near the public rating with a wide interval; many outweigh it. The interval is the posterior's 95 %, by
Laplace's approximation: the covariance is the inverse curvature (H + V⁻¹)⁻¹ at the maximum. The prior makes that
curvature positive definite, so there is always exactly one maximum.

K = number of models; arrays over models follow the order of `Cells.models`. Numpy only: no clock, no database.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from leaderboard.rating.elo import MEAN, SCALE, Z95, Cells
from leaderboard.rating.likelihood import MAX_STEPS, TOLERANCE, Floats, gram
from leaderboard.rating.place import Place

TASTE = 100.0  # Elo: the standard deviation of one person's taste around the public rating; our assumption
DRAWS = 4000  # from the posterior, for the chance of being first: its error is below a per cent
UNRATED = 200.0  # Elo, the same for a model without a public rating, around the mean of 1000


@dataclass(frozen=True, eq=False)
class Personal:
    """elo and se, both [K] in Elo; covariance [K, K] in Elo²."""

    models: tuple[str, ...]
    elo: Floats
    covariance: Floats

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.covariance)), np.float64)

    @property
    def lower(self) -> Floats:
        return self.elo - Z95 * self.se

    @property
    def upper(self) -> Floats:
        return self.elo + Z95 * self.se

    @property
    def places(self) -> list[Place]:
        """Bounds of each model's place among these, from the 95 % intervals of all differences; `best` is the chance
        of being first."""
        k = len(self.elo)
        variance = np.diag(self.covariance)
        spread = np.sqrt(np.maximum(np.add.outer(variance, variance) - 2 * self.covariance, 0))
        above = np.subtract.outer(self.elo, self.elo) > Z95 * spread  # the row's model surely above the column's
        np.fill_diagonal(above, False)
        worse, better = above.sum(1), above.sum(0)
        return [
            Place(int(1 + better[i]), int(k - worse[i]), k, float(first))
            for i, first in enumerate(self._chances_of_first())
        ]

    def _chances_of_first(self) -> Floats:
        """[K] from draws of the posterior; the same for the same votes."""
        if not len(self.elo):
            return np.zeros(0)
        drawn = np.random.default_rng(20).multivariate_normal(self.elo, self.covariance, DRAWS)
        return np.bincount(drawn.argmax(1), minlength=len(self.elo)) / DRAWS


def prior(public: float | None, se: float | None) -> tuple[float, float]:
    """Mean and standard deviation in Elo of a model's prior, from its public rating and that rating's error."""
    if public is None or se is None or not math.isfinite(se):
        return (MEAN if public is None else public), UNRATED
    return public, math.hypot(se, TASTE)


def fit(cells: Cells, mean: Floats, deviation: Floats) -> Personal:
    """The voter's ratings from their votes; `mean` and `deviation` [K] in Elo are the prior."""
    k = len(cells.models)
    won, lost = np.zeros((k, k)), np.zeros((k, k))
    np.add.at(won, (cells.left, cells.right), cells.n * cells.score)
    np.add.at(lost, (cells.left, cells.right), cells.n * (1 - cells.score))
    m, precision = (mean - MEAN) / SCALE, (SCALE / deviation) ** 2
    x, delta, steps = m.copy(), math.inf, 0
    while delta * SCALE > TOLERANCE and steps < MAX_STEPS:
        p, curvature = _at(x, won + lost, precision)
        residual = won - (won + lost) * p
        gradient = residual.sum(1) - residual.sum(0) - precision * (x - m)
        step = np.linalg.solve(curvature, gradient)
        delta = float(np.abs(step).max(initial=0))
        # A step that moves no vote's log-odds by more than 1 gains in full; a longer one is shortened (see `elo`).
        x = x + (step if delta <= 0.5 else step * math.log1p(2 * delta) / (2 * delta))
        steps += 1
    covariance = np.asarray(np.linalg.inv(_at(x, won + lost, precision)[1]), np.float64)
    return Personal(cells.models, MEAN + SCALE * x, SCALE**2 * covariance)


def _at(x: Floats, total: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """P(left wins) [K, K] and the curvature H + V⁻¹ [K, K] at x."""
    p = 1 / (1 + np.exp(np.clip(-np.subtract.outer(x, x), -700, 700)))
    return p, gram(total * p * (1 - p), len(x)) + np.diag(precision)
