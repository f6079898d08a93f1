"""How sure a rating is when a voter's votes share that voter's taste: the cluster-robust covariance.

Any grouping of the votes will do – by voter, or by prompt, which answers how the ratings would move had other prompts
been asked. Numpy only: no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from leaderboard.rating.elo import MEAN, SCALE, Fit, check_votes
from leaderboard.rating.likelihood import Codes, Floats, Ints, Numbers, gram

HEAVY = 0.1  # CR3: a voter with more total leverage than this is left out exactly, the others by a series
NEARLY_ALL = 1 - 1e-6  # CR3: share of a heavy voter taken out; all of it can leave a model without a vote
BLOCK = 2**18  # entries of the voter × model matrix, and votes, held at a time: 2 MB
FEW_BLOCKS = 64  # so many are looked for one by one; for more, the votes are sorted, at sixteen bytes each


def clustered_covariance(
    fit: Fit,
    voters: Codes,
    left: Codes,
    right: Codes,
    score: Numbers,
    kind: Literal["CR1", "CR3"] = "CR1",
    weight: Numbers | None = None,
) -> Floats:
    """Covariance [K, K] in Elo² that lets a voter's votes share that voter's taste. One array entry per vote.

    Plain sandwich intervals take votes as independent; when few voters cast most votes, they cover far too little.
    voters are codes 0 … G−1 (`np.unique(…, return_inverse=True)`); left, right and score are as in `Cells`; the votes
    are those that were fitted, and votes outside the component are skipped. With s_v the score vector of voter v:

        CR1   G/(G−1) · H⁻¹ (Σ_v s_v s_vᵀ) H⁻¹                Liang & Zeger 1986; Cameron & Miller, JHR 50:317 (2015)
        CR3   (G−1)/G · Σ_v d_v d_vᵀ,  d_v = (H − H_v)⁻¹ s_v  jack-knife: one Newton step per voter left out

    CR3 costs more and is right sooner with few or very unequal voters. Leverages sum to K−1, so at most (K−1)/0.1
    voters need a matrix of their own; the others follow from s_v + H_v H⁻¹ s_v + …, cut at a relative error of 1e-4.
    A model that a single voter judged gets too small an error from either: ask for several voters before showing one.
    With fewer than two voters every variance is infinite. Memory: some blocks of 2 MB, and a byte or two a vote.

    Raises ValueError for arrays of different lengths and for what is not a vote.
    """
    clusters = Clusters(fit, kind)
    clusters.add(voters, left, right, score, weight)
    return clusters.covariance()


class Clusters:
    """`clustered_covariance` of votes that come in parts, so that millions never lie in memory at once.

    All votes of one voter have to come in the same part. Voters are distinguished within a part only: codes
    restart at 0.
    """

    def __init__(self, fit: Fit, kind: Literal["CR1", "CR3"] = "CR1") -> None:
        if kind not in ("CR1", "CR3"):
            raise ValueError(f"unknown kind {kind!r}, expected CR1 or CR3")
        self.fit, self.kind = fit, kind
        self.core = np.flatnonzero(fit.connected)
        self.bread = fit.bread[np.ix_(self.core, self.core)]
        self.meat = np.zeros_like(self.bread)
        self.groups = 0
        self.votes, self.squares = np.zeros(self.core.size), np.zeros(self.core.size)  # by model; Σ n², n by cluster
        self.all_votes = self.all_squares = 0.0

    def add(self, voters: Codes, left: Codes, right: Codes, score: Numbers, weight: Numbers | None = None) -> None:
        fit, core, bread = self.fit, self.core, self.bread
        weight = np.broadcast_to(1.0, voters.shape) if weight is None else weight
        if len({array.shape for array in (voters, left, right, score, weight)}) != 1 or voters.ndim != 1:
            raise ValueError("voters, left, right, score and weight need one entry per vote")
        check_votes(len(fit.models), left, right, score)
        if voters.size and voters.min() < 0:
            raise ValueError("voter codes must not be negative")
        if core.size < len(fit.models):
            counted = fit.connected[left] & fit.connected[right]
            place = np.cumsum(fit.connected) - 1
            voters, left, right = voters[counted], place[left[counted]], place[right[counted]]
            score, weight = score[counted], weight[counted]
        if not voters.size:
            return
        x = (fit.elo[core] - MEAN) / SCALE
        cast = np.bincount(voters)  # votes by voter
        self.groups += int(np.count_nonzero(cast))
        size = max(1, BLOCK // core.size)
        shape = min(size, cast.size), core.size  # of a small board's voters, not of the largest block there could be
        block_of = (np.arange(cast.size) / size + cast.cumsum() / BLOCK).astype(np.int64)  # bounds voters and votes
        block = block_of.astype(np.min_scalar_type(block_of[-1]))[voters]  # a byte or two: argsort is then a radix sort
        for votes in _blocks(block, int(block_of[-1]) + 1):
            v, i, j = voters[votes], left[votes], right[votes]
            v = v - v.min()
            self._count(v, i, j, weight[votes], shape)
            p = 1 / (1 + np.exp(np.minimum(x[j] - x[i], 700)))
            scores = _scatter(v, i, j, weight[votes] * (score[votes] - p), shape)
            if self.kind == "CR3":
                scores = _leave_one_out(bread, v, i, j, weight[votes] * p * (1 - p), scores)
            self.meat += scores.T @ scores

    def _count(self, v: Codes, i: Codes, j: Codes, weight: Numbers, shape: tuple[int, int]) -> None:
        cast = np.bincount(v, weight, shape[0])
        row = v.astype(np.int64) * shape[1]
        by_model = np.bincount(row + i, weight, shape[0] * shape[1])
        by_model += np.bincount(row + j, weight, shape[0] * shape[1])
        by_model = by_model.reshape(shape)
        self.votes += by_model.sum(0)
        self.squares += np.square(by_model, out=by_model).sum(0)
        self.all_votes += float(cast.sum())
        self.all_squares += float(cast @ cast)

    @property
    def se(self) -> Floats:
        """Standard errors [K] in Elo; inf where not connected, and with fewer than two clusters."""
        return np.sqrt(np.diag(self.covariance()))

    @property
    def effective(self) -> Floats:
        """Effective number [K] of clusters behind each model, 1 / Σ share²: as many equal ones would say as much.

        0 for models that are not connected.
        """
        effective = np.zeros(len(self.fit.models))
        effective[self.core] = np.divide(
            self.votes**2, self.squares, out=np.zeros(self.core.size), where=self.squares > 0
        )
        return effective

    @property
    def all_effective(self) -> float:
        """The same of all votes together."""
        return self.all_votes**2 / self.all_squares if self.all_squares else 0.0

    @property
    def degrees(self) -> int:
        """Degrees of freedom of Student's t: the effective number of clusters minus one, at least 1."""
        return max(1, round(self.all_effective) - 1)

    def covariance(self) -> Floats:
        """Of all parts together, as `clustered_covariance` says."""
        covariance = np.diag(np.full(len(self.fit.models), np.inf))
        if self.groups < 2:
            return covariance
        factor = self.groups / (self.groups - 1) if self.kind == "CR1" else (self.groups - 1) / self.groups
        inside = self.bread @ self.meat @ self.bread
        inside = SCALE**2 * factor * (inside + inside.T) / 2
        # Where all voters agree about a model its variance is 0; rounding may leave less, which has no root.
        np.fill_diagonal(inside, np.maximum(np.diag(inside), 0))
        covariance[np.ix_(self.core, self.core)] = inside
        return covariance


def two_way(plain: Floats, by_voter: Floats | None, by_prompt: Floats | None) -> Floats:
    """Covariance of ratings whose votes share voters *and* prompts; all [K, K], finite. None: cannot be estimated.

        V = V_voter + V_prompt − V_plain          Cameron, Gelbach & Miller, J. Bus. Econ. Stat. 29:238 (2011)

    Subtracting can leave negative eigenvalues, which are set to 0 as there, and a variance below that of one way alone,
    which is raised to the larger of the two.
    """
    parts = [part for part in (by_voter, by_prompt) if part is not None]
    if len(parts) < 2:
        return parts[0] if parts else plain
    total = parts[0] + parts[1] - plain
    values, vectors = np.linalg.eigh((total + total.T) / 2)
    total = (vectors * np.maximum(values, 0)) @ vectors.T
    least = np.maximum(*(np.diag(part) for part in parts))
    own = np.diag(total)
    raised = np.sqrt(np.divide(least, own, out=np.ones(len(own)), where=own > 0).clip(min=1))
    return np.asarray(total * np.outer(raised, raised), np.float64)


def _blocks(block: Codes, count: int) -> Iterator[Ints]:
    """The places of each block's votes, in their order."""
    if count <= FEW_BLOCKS:
        places = (np.flatnonzero(block == number) for number in range(count))
        yield from (votes for votes in places if votes.size)
    else:
        sizes = np.bincount(block)
        yield from np.split(np.argsort(block, kind="stable"), sizes[sizes > 0].cumsum()[:-1])


def _scatter(v: Codes, i: Codes, j: Codes, amount: Numbers, shape: tuple[int, int]) -> Floats:
    """Σ amount · (e_i − e_j) per voter, [voters, K]."""
    size, k = shape
    row = v.astype(np.int64) * k
    plus, minus = np.bincount(row + i, amount, size * k), np.bincount(row + j, amount, size * k)
    return np.subtract(plus, minus, out=plus).reshape(shape)


def _leave_one_out(bread: Floats, v: Codes, i: Codes, j: Codes, curvature: Numbers, scores: Floats) -> Floats:
    """H (H − H_v)⁻¹ s_v per voter, [voters, K]: the scores that make the plain sandwich a jack-knife."""
    size, k = scores.shape
    spread = np.diag(bread)
    leverage = np.bincount(v, curvature * (spread[i] + spread[j] - 2 * bread[i, j]), size)  # trace of H⁻¹H_v
    heavy = np.flatnonzero(leverage > HEAVY)
    error = bound = leverage[leverage <= HEAVY].max(initial=0)
    adjusted = scores
    while error > 1e-4:
        moved = adjusted @ bread
        adjusted = scores + _scatter(v, i, j, curvature * (moved[v, i] - moved[v, j]), scores.shape)
        error *= bound
    if heavy.size:
        level = np.trace(bread) / k**2
        information = np.linalg.inv(bread + level)  # H + a constant, which sums that are zero do not see
        adjusted = adjusted.copy()
        votes = np.flatnonzero(np.isin(v, heavy))
        votes = votes[np.argsort(v[votes], kind="stable")]
        for own in np.split(votes, np.flatnonzero(np.diff(v[votes])) + 1):
            voter = v[own[0]]
            share = np.zeros((k, k))  # H_v, before `gram`
            np.add.at(share, (i[own], j[own]), curvature[own])
            without = np.linalg.solve(information - NEARLY_ALL * gram(share, k), scores[voter])
            adjusted[voter] = information @ (without - without.mean())
    return adjusted
