"""The two ways in which votes hang together, by voter and by prompt: what each adds to the ratings' errors.

Up to half a million votes every one is read. Beyond, that would be the first thing to break, so what is read stays the
same however many votes there are (simulated from 1 to 23 million: half-widths within .1 to .9 % on average):

* by voter, a fixed sample of the voters stands for all: V = H⁻¹ [B + (B_v − B_s)/f + (B_w − B_t)] H⁻¹, with B the meat
  of all votes as if independent, exact from pair counts; B_v and B_s the clustered and the independent meat of the
  sampled voters, a share f of all; B_w and B_t those of the busiest, who are always read. What is sampled is the
  *excess* of clusters alone, so its noise is small;
* by prompt, a table of how often each model met and scored on each prompt is enough, whatever the number of votes: of a
  prompt's score Σ (y − p)(e_i − e_j) the y are in it, and the p are those of the model's opponents there.

K = number of models, P = of prompts. Numpy only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from leaderboard.rating.clusters import Clusters
from leaderboard.rating.elo import MEAN, SCALE, Fit
from leaderboard.rating.likelihood import Codes, Floats, Ints, Numbers, gram, probabilities


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the votes behind the cells, one array entry each, and with a vote all others of its cluster.

    cluster  voter or prompt, as codes from 0: first those that are known, then one for every vote where it is not
    known    how many are known
    weight   equal votes of one cluster may come as one; None when each came by itself
    """

    cluster: Codes
    left: Codes
    right: Codes
    score: Numbers
    known: int
    weight: Numbers | None = None


@dataclass(frozen=True, eq=False)
class PromptTallies:
    """Per prompt and model [P, K] in how many votes its image was, and how many points it got; a tie is half a point.
    met [K, K]: votes of every two models, both ways round."""

    votes: Floats
    points: Floats
    met: Floats


@dataclass(frozen=True, eq=False)
class RawVotes:
    """The votes behind the cells, twice: by their voters, and by their prompts. Parts, so that any number fits.

    sampled  votes of a sample of the voters, each standing for 1 / `share`; the others' voters are all in `by_voter`
    tallies  of votes whose prompts are not in `by_prompt`
    """

    by_voter: Iterable[Part]
    by_prompt: Iterable[Part]
    sampled: Iterable[Part] = ()
    share: float = 1.0
    tallies: PromptTallies | None = None


@dataclass(frozen=True, eq=False)
class Way:
    """What clusters of one kind say.

    groups      how many there are, each unknown one for itself
    covariance  [K, K] Elo², infinite where not connected, and everywhere with fewer than two groups
    effective   [K] 1 / Σ share² of a model's votes; `all_effective` of all votes
    known       how many are known by name
    judges      [K] known ones with votes on a model, and one more for every vote by an unknown one
    """

    groups: int
    covariance: Floats
    effective: Floats
    all_effective: float
    known: int
    judges: Ints

    @property
    def degrees(self) -> int:
        """Degrees of freedom of Student's t: the effective number minus one, at least 1."""
        return max(1, round(self.all_effective) - 1)

    @property
    def se(self) -> Floats:
        return np.sqrt(np.diag(self.covariance))


def by_voter(fit: Fit, votes: RawVotes) -> Way:
    """Covariance by voters: all of them, or the busiest and a sample of the others."""
    is_sampled = votes.share < 1
    certain, sample = _Read(fit, residuals=is_sampled), _Read(fit, residuals=is_sampled)
    for read, parts in ((certain, votes.by_voter), (sample, votes.sampled)):
        for part in parts:
            read.add(part)
    if not is_sampled:
        return certain.way()
    scale = 1 / votes.share
    own, more = certain.clusters, sample.clusters
    own.groups += round(scale * more.groups)
    # Clustered meats of what was read, and the independent one of all that was not.
    all_votes = fit.covariance[np.ix_(own.core, own.core)] / SCALE**2
    inverse = np.linalg.pinv(own.bread, hermitian=True)
    own.meat += inverse @ all_votes @ inverse - certain.independent() + scale * (more.meat - sample.independent())
    own.votes += scale * more.votes
    own.squares += scale * more.squares
    own.all_votes += scale * more.all_votes
    own.all_squares += scale * more.all_squares
    certain.known += round(scale * sample.known)
    certain.judges += np.rint(scale * sample.judges).astype(np.int64)
    return certain.way()


def by_prompt(fit: Fit, votes: RawVotes) -> Way:
    """Covariance by prompts: from single votes, from tallies, or from both."""
    read = _Read(fit)
    for part in votes.by_prompt:
        read.add(part)
    if votes.tallies is not None:
        _add_tallies(read, votes.tallies)
    return read.way()


class _Read:
    """Clusters of one kind, and beside them what their votes would say if they were independent."""

    def __init__(self, fit: Fit, *, residuals: bool = False) -> None:
        self.clusters = Clusters(fit, "CR3")
        self.known, self.judges = 0, np.zeros(len(fit.models), np.int64)
        size = self.clusters.core.size
        self.residuals = np.zeros((size, size)) if residuals else None  # Σ (y − p)² by pair of connected models

    def add(self, part: Part) -> None:
        self.clusters.add(part.cluster, part.left, part.right, part.score, part.weight)
        self.known += part.known
        self.judges += _judges(len(self.judges), part)
        if self.residuals is not None:
            self.residuals += self._squared(part)

    def _squared(self, part: Part) -> Floats:
        fit, core = self.clusters.fit, self.clusters.core
        inside = fit.connected[part.left] & fit.connected[part.right]
        place = np.cumsum(fit.connected) - 1
        left, right = place[part.left[inside]], place[part.right[inside]]
        p = probabilities((fit.elo[core] - MEAN) / SCALE, core.size)[0][left, right]
        weight = 1.0 if part.weight is None else np.asarray(part.weight)[inside]
        squared = weight * (np.asarray(part.score)[inside] - p) ** 2
        # Weighted counts are floats; the stubs know only those without weights.
        counts = cast(Floats, np.bincount(left * core.size + right, squared, core.size**2))
        return counts.reshape(core.size, core.size)

    def independent(self) -> Floats:
        """The meat of these votes, were they independent."""
        assert self.residuals is not None
        return gram(self.residuals, len(self.residuals))

    def way(self) -> Way:
        own = self.clusters
        return Way(own.groups, own.covariance(), own.effective, own.all_effective, self.known, self.judges)


def _add_tallies(read: _Read, tallies: PromptTallies) -> None:
    own, fit = read.clusters, read.clusters.fit
    votes, points = tallies.votes[:, own.core], tallies.points[:, own.core]
    met = tallies.met[np.ix_(own.core, own.core)]
    there = (votes > 0).astype(np.float64)
    rate = met / np.maximum(there.T @ there, 1)  # votes of a pair on each prompt that both have
    expected = probabilities((fit.elo[own.core] - MEAN) / SCALE, own.core.size)[0]
    opponents = there @ rate.T
    mean = np.divide(there @ (rate * expected).T, opponents, out=np.zeros_like(opponents), where=opponents > 0)
    scores = points - votes * mean
    scores -= scores.mean(1, keepdims=True)
    groups = int(np.count_nonzero(votes.any(1)))
    if groups > 1:  # its factor is CR1's; that of `Clusters` for a jack-knife goes the other way
        factor = groups / (groups - 1)
        own.groups += groups
        own.meat += factor * own.groups / max(own.groups - 1, 1) * (scores.T @ scores)
    else:
        own.groups += groups
    own.votes += votes.sum(0)
    own.squares += (votes**2).sum(0)
    by_prompt = votes.sum(1) / 2
    own.all_votes += float(by_prompt.sum())
    own.all_squares += float(by_prompt @ by_prompt)
    read.known += groups
    read.judges += np.asarray((tallies.votes > 0).sum(0), np.int64)


def _judges(k: int, part: Part) -> Any:
    """Known clusters [K] with votes on each model, and one more for every vote of an unknown one."""
    judged, alone = np.zeros((part.known, k), np.bool_), np.zeros(k, np.int64)
    known = part.cluster < part.known
    for side in (part.left, part.right):
        judged[part.cluster[known], side[known]] = True
        alone += np.bincount(side[~known], minlength=k)
    return np.asarray(judged.sum(0) + alone, np.int64)
