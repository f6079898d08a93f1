"""How much a voter's votes speak against honesty: e-processes with composite nulls. Pure: no Django.

An e-process is a running product whose expectation is at most 1 under *every* member of its null hypothesis, whenever
one looks. So by Ville's inequality the chance that it ever reaches 1000 is at most 1 in 1000. With d the difference in
strength of the left and the right model in nats, y = ±1 the answer, s the direction of a hypothesis on that pair and
σ the logistic function, a decided vote moves the logarithm by

    log σ(y (d + t1·s)) − log σ(y (d + t0·s))

The likelihood ratio of two tilts is monotone, so this is an e-process for every voter whose tilt is at most t0: an
ordinary taste is inside the null. Ties add nothing but in the family about ties: to find two images equal is no
evidence. d is estimated from other voters' votes; where it is uncertain, it is moved by `CAUTION` standard errors
towards the answer that would have been suspicious, so a young board accuses nobody for what it does not know itself.

| family (weight) | direction s | t0 | t1 |
|---|---|---|---|
| side (.20) | +1 (left), −1 (right) | 0.6 | 2, 4 |
| one model, for and against (.30) | ±1 where it plays | 1.4 | 3, 6 |
| influence on one model's rating (.20) | h/median |h| within ±1, h = H⁻¹[m, left] − H⁻¹[m, right] | 0.9 | 2.5, 5 |
| copies the consensus (.15) | favourite's side: 0.97 against σ(1.8·|d|) | | |
| ties and both-bad (.10) | 0.97 against a rate of 0.6 | | |
| no skill (.05), for review alone | ½ against σ(0.4·y·d) | | |

Boards of up to `FEW_MODELS` models have wider nulls of influence and consensus.

A family's value is the mean of its members, a voter's the weighted mean of the families: both stay e-processes.
Skips and ballots have processes of their own (`skipping`, `selection`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAMILIES = ("side", "one model", "influence", "consensus", "ties", "no skill")
WEIGHTS = (0.20, 0.30, 0.20, 0.15, 0.10, 0.05)
REVIEW_ONLY = FAMILIES.index("no skill")
REVIEW, QUARANTINE = math.log(100), math.log(1000)

SIDE, ONE_MODEL, INFLUENCE = (0.6, (2.0, 4.0)), (1.4, (3.0, 6.0)), (0.9, (2.5, 5.0))
COPYING, ABILITY = 0.97, 1.8
# Of so few models most pairs hold the same one, so that a taste for it is what moves its rating, and agreeing with the
# others is often one taste. The nulls above made 3 % of honest voters of such boards cheats, these make 1 %.
FEW_MODELS, INFLUENCE_OF_FEW, ABILITY_OF_FEW = 4, (1.4, (2.5, 5.0)), 2.4
TIED, TIE_RATE = 0.97, 0.6
SKILL = 0.4
CAUTION = 1.0  # standard errors
KAPPAS = (0.2, 0.6)  # in which share of its ballots a network that selects shows the model it selects


@dataclass(frozen=True, eq=False)
class Consensus:
    """What others' votes say about K models: strengths [K] in nats and their covariance [K, K]."""

    strength: Floats
    covariance: Floats
    scale: Floats  # [K] the median influence of a pair on each model

    @property
    def models(self) -> int:
        return self.strength.size


@dataclass(frozen=True, eq=False)
class Answers:
    """Votes in their order: indices of the models [n], and 1 where left won, −1 where right won, 0 for ties."""

    left: Ints
    right: Ints
    answer: Ints


@dataclass(frozen=True, eq=False)
class Evidence:
    """Logarithms of e-values after each vote: of the families [6, n], of all [n], and of those that may quarantine."""

    families: Floats
    all: Floats
    path: Floats

    @property
    def last(self) -> Floats:
        """[6] the families as they stand."""
        return self.families[:, -1] if self.families.shape[1] else np.zeros(len(FAMILIES))

    @property
    def peak(self) -> float:
        """The largest value so far of those that may quarantine: Ville's inequality is about it."""
        return float(max(self.path.max(initial=0.0), 0.0))

    @property
    def review_peak(self) -> float:
        return float(max(self.all.max(initial=0.0), self.path.max(initial=0.0), 0.0))


def reference(wins: Floats, ridge: float = 1.0) -> Consensus:
    """Bradley–Terry strengths from decided votes: wins[i, j] of i over j. `ridge` is the precision of a normal prior of
    every strength, in nats⁻²: it makes the fit exist where few votes are there."""
    k = len(wins)
    n = wins + wins.T
    strength = np.zeros(k)
    hessian = np.eye(k) * ridge
    for _ in range(50):
        p = _sigmoid(np.subtract.outer(strength, strength))
        gradient = (wins - n * p).sum(1) - ridge * strength
        information = n * p * (1 - p)
        hessian = np.diag(information.sum(1) + ridge) - information
        step = np.linalg.solve(hessian, gradient)
        strength = strength + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    covariance = np.asarray(np.linalg.inv(hessian), np.float64)
    upper = np.triu_indices(k, 1)
    scale = np.array([np.median(np.abs(row[upper[0]] - row[upper[1]])) for row in covariance])
    return Consensus(strength, covariance, np.maximum(scale, 1e-12))


def weigh(votes: Answers, others: Consensus) -> Evidence:
    """The evidence after each of a voter's votes."""
    n, k = votes.answer.size, others.models
    if not n:
        return Evidence(np.zeros((len(FAMILIES), 0)), np.zeros(0), np.zeros(0))
    left, right, y = votes.left, votes.right, votes.answer.astype(np.float64)
    d = others.strength[left] - others.strength[right]
    c = others.covariance
    doubt = CAUTION * np.sqrt(np.maximum(c[left, left] + c[right, right] - 2 * c[left, right], 0))
    plays = np.zeros((k, n))
    plays[left, np.arange(n)], plays[right, np.arange(n)] = 1, -1
    pulls = np.clip((c[:, left] - c[:, right]) / others.scale[:, None], -1, 1)
    influence, ability = (INFLUENCE_OF_FEW, ABILITY_OF_FEW) if k <= FEW_MODELS else (INFLUENCE, ABILITY)
    families = np.stack([
        _tilted(np.ones((1, n)), y, d, doubt, *SIDE),
        _tilted(plays, y, d, doubt, *ONE_MODEL),
        _tilted(pulls, y, d, doubt, *influence),
        _copied(y, d, doubt, ability),
        np.cumsum(np.where(y == 0, math.log(TIED / TIE_RATE), math.log((1 - TIED) / (1 - TIE_RATE)))),
        np.cumsum(np.where(y == 0, 0, math.log(0.5) - _log_sigmoid(SKILL * y * d))),
    ])  # fmt: skip
    logs = np.log(WEIGHTS)[:, None] + families
    return Evidence(families, _log_sum(logs), _log_sum(np.delete(logs, REVIEW_ONLY, 0)))


def _tilted(s: Floats, y: Floats, d: Floats, doubt: Floats, t0: float, t1s: tuple[float, ...]) -> Floats:
    """[n] the mean over directions ±s [members, n] and tilts t1."""
    members = []
    for direction in (s, -s):
        base = d + np.sign(direction) * doubt
        null = _log_sigmoid(y * (base + t0 * direction))
        for t1 in t1s:
            gain = _log_sigmoid(y * (base + t1 * direction)) - null
            members.append(np.cumsum(np.where(y == 0, 0.0, gain), axis=1))
    stacked = np.concatenate(members)
    return _log_sum(stacked) - math.log(len(stacked))


def _copied(y: Floats, d: Floats, doubt: Floats, ability: float) -> Floats:
    agrees = y * np.where(d >= 0, 1, -1) > 0
    able = ability * (np.abs(d) + doubt)
    null = np.where(agrees, _log_sigmoid(able), _log_sigmoid(-able))
    gain = np.where(agrees, math.log(COPYING), math.log(1 - COPYING)) - null
    return np.cumsum(np.where(y == 0, 0.0, gain))


def skipping(answered: Ints, skipped: Ints, answers: int, skips: int) -> float:
    """The logarithm of the e-value against “skips do not depend on the models” (universal inference).

    answered, skipped [K]: pairs with each model that were voted on and skipped; `answers`, `skips`: of all pairs. The
    numerator lets one model have a rate of its own (Krichevsky–Trofimov mixtures), the denominator is the best rate.
    Only models that are skipped *less* than the others count: to skip until one comes is steering, to skip an ugly one
    is a taste. Of three models that leaves the other two skipped less: of up to `FEW_MODELS` the null has a dislike of
    one, too. Leaving terms out makes an e-value smaller, never larger.
    """
    if not skips or not answers or not answered.size:
        return 0.0
    own = _kt(answered, skipped) + _kt(answers - answered, skips - skipped)
    own = np.where(skipped * answers < answered * skips, own, -np.inf)
    if not np.isfinite(own).any():
        return 0.0
    best = float(_likelihood(answers, skips))
    if own.size <= FEW_MODELS:
        disliked = _likelihood(answered, skipped) + _likelihood(answers - answered, skips - skipped)
        best = max(best, float(disliked[skipped * answers > answered * skips].max(initial=-np.inf)))
    return float(_log_sum(own[:, None])[0]) - math.log(own.size) - best


def _kt(a: Ints, b: Ints) -> Floats:
    """log B(a + ½, b + ½) / B(½, ½)."""
    gamma = np.vectorize(math.lgamma, otypes=[np.float64])
    return np.asarray(gamma(a + 0.5) + gamma(b + 0.5) - gamma(a + b + 1.0) - math.log(math.pi), np.float64)


def _likelihood(a: Any, s: Any) -> Any:
    """log of pᵃ (1 − p)ˢ at its largest."""
    n = np.maximum(a + s, 1)
    return a * np.log(np.maximum(a, 1) / n) + s * np.log(np.maximum(s, 1) / n)


def selection(contains: NDArray[Any], share: Floats) -> Floats:
    """[n] logarithms after each ballot: is one model on more of them than the draw puts it on?

    contains [K, n]: whether a model is on a ballot; share [K]: with what chance the draw puts it on one.
    """
    k, n = contains.shape
    if not n or not k:
        return np.zeros(n)
    pi = np.clip(share, 1e-6, 1)[:, None]
    paths = [np.cumsum(np.where(contains, np.log(1 - x + x / pi), math.log(1 - x)), axis=1) for x in KAPPAS]
    return _log_sum(np.concatenate(paths)) - math.log(k * len(KAPPAS))


def _log_sum(logs: Floats) -> Floats:
    top = logs.max(0)
    return np.asarray(top + np.log(np.exp(logs - top).sum(0)), np.float64)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -700, 700))), np.float64)


def _log_sigmoid(x: Floats) -> Floats:
    return np.asarray(-np.logaddexp(0, -x), np.float64)
