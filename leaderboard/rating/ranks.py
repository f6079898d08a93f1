"""What ratings and their uncertainty say about order: ranks, tiers, chances of being best, votes still needed.

A model without a finite interval (see `elo.Fit.connected`) could be anywhere: nobody is surely above it, so it gets
rank 1, the tier it happens to stand in and the widest rank interval. It changes nothing for the others, and a page had
better show no rank for it. K = number of models; every array is indexed by model. Numpy only; the seed is fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.rating.elo import SCALE, Z95, Fit, expected_score
from leaderboard.rating.likelihood import Floats, Ints

Singles = NDArray[np.float32]

DRAWS = 10_000
SEED = 20_240_304  # any number will do, as long as it never changes
BLOCK = 500  # draws compared at a time: K × 500 numbers fit in the processor's cache


@dataclass(frozen=True, eq=False)
class RankInference:
    """What 10,000 draws from N(elo, covariance) say.

    low, high  [K] the 95 % rank intervals, all of them right at once; 1 is best
    best       [K] chance of being the best model; 0 without a finite interval, over the others it sums to 1
    critical   how many standard errors two ratings must differ by
    """

    low: Ints
    high: Ints
    best: Floats
    critical: float


def ranks(lower: Floats, upper: Floats) -> Ints:
    """1 + the number of models whose whole interval lies above this one's, [K]: models that overlap the best share 1.

    The rule of Chiang et al., "Chatbot Arena" (2024), and of the boards that follow it.
    """
    return 1 + lower.size - np.searchsorted(np.sort(lower), upper, side="right")


def tiers(elo: Floats, lower: Floats, upper: Floats) -> Ints:
    """Tier numbers [K] from 1. A tier's anchor is the lower end of its highest-rated model.

    Walking down the ratings, a model joins the tier while its upper end reaches the anchor; the first that does not
    opens the next tier. The anchor never moves, so a chain of small overlaps cannot stretch a tier.
    """
    tier = np.zeros(len(elo), np.int64)
    number, anchor = 1, -math.inf
    for model in np.argsort(-elo, kind="stable"):
        if anchor == -math.inf:
            anchor = float(lower[model])
        elif upper[model] < anchor:
            number, anchor = number + 1, float(lower[model])
        tier[model] = number
    return tier


def rank_inference(
    elo: Floats, covariance: Floats, *, level: float = 0.95, draws: int = DRAWS, seed: int = SEED
) -> RankInference:
    """Simultaneous rank intervals and the chance of being best, from a covariance [K, K] in Elo².

    Two models differ when |elo_i − elo_j| exceeds c · √(C_ii + C_jj − 2C_ij), with c the `level` quantile of the
    largest of these ratios under no difference; a model's rank lies between 1 + those surely above it and the number
    of ranked models − those surely below (max-t: Mogstad, Romano, Shaikh & Wilhelm, Rev. Econ. Stud. 91:476, 2024).
    """
    k = len(elo)
    low, high, best = np.ones(k, np.int64), np.full(k, k), np.zeros(k)
    ranked = np.flatnonzero(np.isfinite(np.diag(covariance)))
    if not ranked.size:
        return RankInference(low, high, best, math.nan)
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
    critical = float(np.quantile(np.concatenate(largest), level))
    surely_above = elo[ranked, None] - elo[None, ranked] > critical * spread
    low[ranked] = 1 + surely_above.sum(0)
    high[ranked] = ranked.size - surely_above.sum(1)
    return RankInference(low, high, best, critical)


def _largest_ratios(noise: Singles, scale: Singles) -> Singles:
    """max over pairs |noise_i − noise_j| · scale_ij for each draw; in single precision, for speed."""
    top = np.zeros(noise.shape[1], np.float32)
    for i in range(len(noise) - 1):
        ratios = noise[i + 1 :] - noise[i]
        np.abs(ratios, out=ratios)
        ratios *= scale[i + 1 :, i, None]
        np.maximum(top, ratios.max(0), out=top)
    return top


def votes_needed(fit: Fit, i: int, j: int) -> float:
    """How many more battles of i against j would set their difference apart from zero at 95 %, if it stays as it is.

    A battle adds the information p(1−p) about the difference d in nats, whose variance is now c, so m of them leave
    1 / (1/c + m·p(1−p)); asking 1.96 standard errors to fit into d gives

        m = ((1.96/d)² − 1/c) / (p(1−p)),   0 if they are apart already, infinite if d = 0

    Ties tell more than that about near-equals, so m is on the safe side; other opponents and tastes of voters are left
    out. c = infinity (a model not connected yet) counts as knowing nothing.
    """
    d = abs(float(fit.elo[i] - fit.elo[j])) / SCALE
    if d == 0:
        return math.inf
    c = float(fit.covariance[i, i] + fit.covariance[j, j] - 2 * fit.covariance[i, j]) / SCALE**2
    if c <= (d / Z95) ** 2:
        return 0
    p = expected_score(float(fit.elo[i]), float(fit.elo[j]))
    return math.ceil(((Z95 / d) ** 2 - 1 / c) / (p * (1 - p)))
