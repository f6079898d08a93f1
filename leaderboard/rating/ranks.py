"""What ratings and their uncertainty say about order: ranks, tiers, chances of being best, votes still needed.

A model without a finite interval (see `elo.Fit.connected`) could be anywhere: what the arrays say of it has no meaning
and is never stored or shown. It changes nothing for the others. K = number of models; every array is indexed by model.
Numpy only; the seed is fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.rating.elo import SCALE, Z95, Fit, centred
from leaderboard.rating.likelihood import Bools, Floats, Ints
from leaderboard.rating.student import LARGE_DF, t95

Singles = NDArray[np.float32]

# The promise is a wrong place on 3 of 100 boards at most. Where all models are equal every place that is narrower than
# the board is wrong: of 1,100 such boards 95 % gave 5.6 % a wrong one, 97 % gave 3.0 % and 98 % gives 1.9 %, for places
# that are 2 % wider on boards whose models differ.
LEVEL = 0.98
DRAWS = 10_000
SEED = 20_240_304  # any number will do, as long as it never changes
SURE_ENOUGH = 0.8  # a forecast of votes is stated where it is right in so many cases
FORESEEABLE = 20_000  # votes between two models; beyond, nothing is said
BLOCK = 500  # draws compared at a time: K × 500 numbers fit in the processor's cache


@dataclass(frozen=True, eq=False)
class RankInference:
    """What 10,000 draws from N(elo, covariance) say.

    low, high  [K] the rank intervals, all of them right at once in `LEVEL` of boards; 1 is best
    best       [K] chance of being the best model; 0 without a finite interval, over the others it sums to 1
    critical   how many standard errors two ratings must differ by
    above      [K, K] whether the model of the row is surely above that of the column
    """

    low: Ints
    high: Ints
    best: Floats
    critical: float
    above: Bools


def tiers(elo: Floats, above: Bools) -> Ints:
    """Tier numbers [K] from 1: an edge stands only where every model above it is surely above every model below it.

    `above` [K, K] is `RankInference.above`: right for all pairs at once in `LEVEL` of boards, so an edge has no pair in
    the wrong order across it. A tier cut at its best model's interval has one in half to nine tenths of boards.
    """
    order = np.argsort(-elo, kind="stable")
    sure = above[np.ix_(order, order)]
    edges = [bool(sure[:cut, cut:].all()) for cut in range(1, len(order))]
    tier = np.ones(len(order), np.int64)
    tier[order[1:]] += np.cumsum(edges, dtype=np.int64) if edges else 0
    return tier


def rank_inference(
    elo: Floats,
    covariance: Floats,
    df: int = LARGE_DF,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RankInference:
    """Simultaneous rank intervals and the chance of being best, from a covariance [K, K] in Elo², with Student's t of
    `df` degrees of freedom folded in (see `intervals.spread`).

    Two models differ when |elo_i − elo_j| exceeds c · √(C_ii + C_jj − 2C_ij), with c the `level` quantile of the
    largest of these ratios under no difference; a model's rank lies between 1 + those surely above it and the number
    of ranked models − those surely below (max-t: Mogstad, Romano, Shaikh & Wilhelm, Rev. Econ. Stud. 91:476, 2024).
    These ratios follow the multivariate t, whose far end is longer than what is folded in for a single 95 % interval.
    """
    k = len(elo)
    low, high, best, above = np.ones(k, np.int64), np.full(k, k), np.zeros(k), np.zeros((k, k), np.bool_)
    ranked = np.flatnonzero(np.isfinite(np.diag(covariance)))
    if not ranked.size:
        return RankInference(low, high, best, math.nan, above)
    c = covariance[np.ix_(ranked, ranked)]
    values, vectors = np.linalg.eigh(c)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T  # the symmetric root: the same on every machine
    spread = np.sqrt(np.maximum(np.add.outer(np.diag(c), np.diag(c)) - 2 * c, 0))
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0).astype(np.float32)
    random, wins, largest = np.random.default_rng(seed), np.zeros(ranked.size), []
    for start in range(0, draws, BLOCK):
        noise = root @ random.standard_normal((min(BLOCK, draws - start), ranked.size)).T  # [ranked, draws]
        wins += np.bincount(np.argmax(elo[ranked, None] + noise, axis=0), minlength=ranked.size)
        largest.append(_largest_ratios(noise.astype(np.float32), scale))
    best[ranked] = wins / draws
    ratios = np.concatenate(largest).astype(np.float64)
    if df < LARGE_DF:
        ratios *= Z95 / t95(df) / np.sqrt(random.chisquare(df, draws) / df)
    critical = float(np.quantile(ratios, level))
    surely_above = elo[ranked, None] - elo[None, ranked] > critical * spread
    low[ranked] = 1 + surely_above.sum(0)
    high[ranked] = ranked.size - surely_above.sum(1)
    above[np.ix_(ranked, ranked)] = surely_above
    return RankInference(low, high, best, critical, above)


def _largest_ratios(noise: Singles, scale: Singles) -> Singles:
    """max over pairs |noise_i − noise_j| · scale_ij for each draw; in single precision, for speed."""
    top = np.zeros(noise.shape[1], np.float32)
    for i in range(len(noise) - 1):
        ratios = noise[i + 1 :] - noise[i]
        np.abs(ratios, out=ratios)
        ratios *= scale[i + 1 :, i, None]
        np.maximum(top, ratios.max(0), out=top)
    return top


def votes_to_separate(gap: float, votes: float, rest: float, information: float, strengths: float) -> int | None:
    """How many more votes between two models separate them with 80 % probability; None where unforeseeable.

    gap          of their ratings, in nats
    votes        variance of the gap that more votes reduce, nats², and …
    rest         … what they do not: other voters and prompts
    information  that a vote between them adds about the gap, nats⁻²
    strengths    variance of the models' true strengths, nats² (see `spread_of_strengths`)

    The gap that we see is larger than the true one where we look at it because it is large. So the true one, plus what
    these voters and prompts add to it, is taken as normal with variance 2·strengths + rest, and the estimate after m
    votes as its prediction: the smallest m at which at least `SURE_ENOUGH` of the predictions are 1.96 standard errors
    or more from zero. Beyond `FORESEEABLE` votes nothing is said.
    """
    if strengths <= 0 or votes <= 0 or information <= 0:
        return None
    shrunk = (2 * strengths + rest) / (2 * strengths + rest + votes)

    def chance(m: int) -> float:
        gained = m * information
        variance = 1 / (1 / votes + gained)
        mean = variance * (abs(gap) / votes + gained * shrunk * abs(gap))
        deviation = variance * math.sqrt(gained**2 * shrunk * votes + gained)
        reach = Z95 * math.sqrt(variance + rest)
        return _above((reach - mean) / deviation) + _above((reach + mean) / deviation)

    if chance(FORESEEABLE) < SURE_ENOUGH:
        return None
    few, many = 0, FORESEEABLE
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if chance(middle) >= SURE_ENOUGH else (middle, many)
    return many


def spread_of_strengths(fit: Fit) -> float:
    """Variance of the true strengths of the fitted models, nats²: that of the ratings minus their mean squared error.

    Not positive where the ratings differ no more than their errors; then nothing can be foreseen.
    """
    inside = fit.connected
    if inside.sum() < 2:
        return 0.0
    return float(fit.elo[inside].var(ddof=1) - np.diag(centred(fit))[inside].mean()) / SCALE**2


def _above(z: float) -> float:
    """P(N > z) of the standard normal."""
    return math.erfc(z / math.sqrt(2)) / 2


def expected_maximum(n: int) -> float:
    """Mean of the largest of n independent standard normals: by so many errors the best of n equals stands too high.

    ∫ 1 − Φⁿ over the positive axis, less ∫ Φⁿ over the negative one.
    """
    x = np.linspace(0, 8, 4_001)
    below = np.array([1 - _above(value) for value in x.tolist()])
    return float(np.trapezoid(1 - below**n - (1 - below) ** n, x))
