"""Whether a hosted model changed behind its name: its strength in a later window against an earlier one.

A provider may put another model behind the same name; only the images that it makes show it. So every model is taken
as two, one in each window, all in one Bradley–Terry fit, and what is looked at is the move of the one against the
other beside the board's median move: tastes, and the mean, may change for all.

Voters and prompts are clusters across both windows (see `clusters`). A voter, or a prompt, with votes in both moves the
two alike, and then counts for nothing. Numpy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from leaderboard.rating import elo
from leaderboard.rating.clusters import Clusters, two_way
from leaderboard.rating.elo import Cells
from leaderboard.rating.likelihood import Bools, Codes, Floats, Numbers
from leaderboard.rating.student import t95

MIN_VOTES = 50  # of a model in each window; with fewer nothing is said of it
MIN_MODELS = 3  # whose move is known: the median of two says nothing
FALSE_ALARM = 0.05  # chance that an unchanged board names one of its models, if errors were exactly normal


@dataclass(frozen=True, eq=False)
class WindowedVotes:
    """One array entry a vote. left_late and right_late: whether the side's image belongs to the later window."""

    models: int
    left: Codes
    right: Codes
    left_late: Bools
    right_late: Bools
    score: Numbers
    voter: Codes
    prompt: Codes


@dataclass(frozen=True, slots=True)
class ModelMove:
    """How much stronger a model is in the later window, in Elo, beside the median move.

    half_width  of the 95 % interval of the move
    is_alarm    the move is beyond what an unchanged board shows in 5 % of cases at most, all models together
    before, after  its votes in the two windows
    """

    move: float
    half_width: float
    is_alarm: bool
    before: int
    after: int

    @property
    def is_clear(self) -> bool:
        return abs(self.move) > self.half_width


def moves(votes: WindowedVotes) -> dict[int, ModelMove]:
    """By index of the model, of those with `MIN_VOTES` in each window; {} where fewer than `MIN_MODELS` have.

    The fit of 2K players is held together by one virtual tie of each model with itself, which also keeps a model that
    won everything finite; against hundreds of votes its pull is nothing.
    """
    k = votes.models
    left, right = votes.left + k * votes.left_late, votes.right + k * votes.right_late
    count = np.bincount(left, minlength=2 * k) + np.bincount(right, minlength=2 * k)
    known = np.flatnonzero((count[:k] >= MIN_VOTES) & (count[k:] >= MIN_VOTES))
    if known.size < MIN_MODELS:
        return {}
    present = np.flatnonzero(count[:k] + count[k:])
    cells = Cells(
        tuple(f"{index:09}" for index in range(2 * k)),
        np.concatenate([left, present]),
        np.concatenate([right, present + k]),
        np.concatenate([np.asarray(votes.score, np.float64), np.full(present.size, 0.5)]),
        np.ones(left.size + present.size),
    )
    fit = elo.fit(cells)
    known = known[fit.connected[known] & fit.connected[known + k]]
    if known.size < MIN_MODELS:
        return {}
    contrast = np.zeros((known.size, 2 * k))
    contrast[np.arange(known.size), known + k], contrast[np.arange(known.size), known] = 1, -1
    contrast -= contrast.mean(0)  # beside the common move: as for the mean, which is nearly as sure as the median
    move = fit.elo[known + k] - fit.elo[known]
    move -= np.median(move)
    ways, degrees = [], []
    for cluster in (votes.voter, votes.prompt):
        clusters = Clusters(fit, "CR3")
        clusters.add(cluster, left, right, votes.score)
        if clusters.groups > 1:
            ways.append(_of(contrast, clusters.covariance()))
            degrees.append(clusters.degrees)
    plain = _of(contrast, fit.covariance)
    df = min(degrees, default=1_000_000)
    error = np.sqrt(np.diag(two_way(plain, *(ways if len(ways) == 2 else (ways[0] if ways else None, None)))))
    alarm = quantile(1 - FALSE_ALARM / (2 * known.size)) * t95(df) / elo.Z95
    return {
        int(model): ModelMove(
            float(move[index]),
            float(t95(df) * error[index]),
            bool(abs(move[index]) > alarm * error[index]),
            int(count[model]),
            int(count[model + k]),
        )
        for index, model in enumerate(known)
    }


def _of(contrast: Floats, covariance: Floats) -> Floats:
    """The covariance of the contrasts; players outside the component are in none."""
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    return np.asarray(contrast @ finite @ contrast.T, np.float64)


def quantile(p: float) -> float:
    """Of the standard normal, by bisection: p between ½ and 1."""
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - math.erfc(middle / math.sqrt(2)) / 2 < p else (low, middle)
    return high
