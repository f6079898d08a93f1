"""The likelihood of pair counts: where it has a maximum, the way there, and how it curves.

Counts stand in K × K tables, indexed [2·score, left, right]; x is [K] strengths in nats, or [K + 1] with the side's
worth γ last. Every matrix is built by one function (`gram`) from the design row of a vote, z = e_left − e_right, + e_γ
with a side: the curvature H = Σ w·p(1−p)·zzᵀ, the meat B = Σ w²·(y−p)²·zzᵀ of the sandwich H⁻¹BH⁻¹, and one voter's
share of H. H is singular along (1, …, 1): H⁻¹ means the pseudo-inverse, on ratings that sum to zero.

What `elo` gives its users is here taken apart; they need not look. Numpy only: no clock, no randomness.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]  # any width: millions of votes fit better in 16 bits
Numbers = NDArray[np.floating[Any]]

TOLERANCE = 5e-8  # nats, about 1e-5 Elo: a Newton step this small leaves an error of about its square
MAX_STEPS = 200  # Newton needs 3 to 8; a bound, so that a fit always returns
NEARLY = 2e-5  # nats: after a step this small the next one ends the search, so it brings the inverse that is asked for
FAR = 300.0  # nats: strengths further apart than this are compared by their differences, for their exponentials vanish
DUST = 1e-9  # weights below this share of the largest are no evidence, only a singular matrix …
DUST_VOTES = 1e-14  # … but whole votes are, down to where a double can hold both


def tables_of(
    k: int, left: Ints, right: Ints, score: Floats, n: Floats, squared: Floats | None
) -> tuple[Floats, Floats]:
    """Σw and Σw² as [3, K, K]. Whole numbers add up exactly; other weights are added in ascending order."""
    where = (2 * score).astype(np.int64)
    for code in (left, right):
        where *= k
        where += code
    whole = bool((n == np.rint(n)).all()) and (squared is None or bool((squared == np.rint(squared)).all()))

    def added(weights: Floats) -> Floats:
        order = slice(None) if whole else np.argsort(weights)
        return np.asarray(np.bincount(where[order], weights[order], 3 * k * k), np.float64).reshape(3, k, k)

    tables = added(n)
    squares = tables if squared is None else added(squared)
    least = (DUST_VOTES if whole else DUST) * tables.max(initial=0)
    if not whole or least > 1:
        dust = tables < least
        tables[dust] = squares[dust] = 0
    return tables, squares


def unsided(tables: Floats) -> Floats:
    """The same votes, half of each turned round: which side a model was on drops out. Halves are exact."""
    return (tables + tables[::-1].transpose(0, 2, 1)) / 2


def among(tables: Floats, models: Ints) -> Floats:
    """The tables, [3, K, K], of these models alone, in the order of `models`."""
    return tables if models.size == tables.shape[1] else tables.take(models, 1).take(models, 2)


def component(tables: Floats) -> Ints:
    """Indices of the models whose likelihood has a maximum (see `fit`); none when no two models share a component."""
    groups = components(tables)
    return groups[0] if groups else np.empty(0, np.int64)


def components(tables: Floats) -> list[Ints]:
    """The groups of two or more models whose likelihood has a maximum, as indices: that with most votes first."""
    k = tables.shape[1]
    beat_or_tied = tables[2] + tables[1] + tables[1].T + tables[0].T > 0
    if not beat_or_tied.any():
        return []
    reach = beat_or_tied | np.eye(k, dtype=np.bool_)
    if reach.all():
        return [np.arange(k)]
    while not reach.all():  # paths of up to 1, 2, 4, … edges
        further = reach.astype(np.float32) @ reach.astype(np.float32) > 0
        if (further == reach).all():
            break
        reach = further
    mutual = reach & reach.T  # row = the component of a model
    sizes = mutual.sum(1)
    votes = mutual @ (tables.sum(0) * mutual).sum(1)
    first = np.flatnonzero((mutual.argmax(1) == np.arange(k)) & (sizes > 1))  # of each group its first model
    ordered = first[np.lexsort((first, -sizes[first], -votes[first]))]  # by votes: strangers in numbers unrank nobody
    return [np.flatnonzero(mutual[model]) for model in ordered]


# -------------------------------------------------- the likelihood; x is [K] strengths in nats, or [K + 1] with γ last


def _log_odds(x: Floats, k: int) -> Floats:
    """z·x for every ordered pair, [K, K]."""
    return np.asarray(np.subtract.outer(x[:k], x[:k]) + x[k:].sum(), np.float64)


def probabilities(x: Floats, k: int) -> tuple[Floats, Floats]:
    """P(left wins) and P(right wins) as [K, K], each accurate to its last digits."""
    level = x[:k].max() if k else 0.0
    if k and level - x[:k].min() > FAR:
        odds_against = np.exp(np.minimum(-_log_odds(x, k), 700))
        p = 1 / (1 + odds_against)
        return p, odds_against * p
    right = np.exp(x[:k] - level)
    left = right if len(x) == k else right * math.exp(min(max(float(x[k]), -FAR), FAR))
    both = np.add.outer(left, right)
    return left[:, None] / both, right / both


def gram(weight: Floats, size: int) -> Floats:
    """Σ weight[l, r] · zzᵀ over ordered pairs, [size, size]: a graph Laplacian, bordered by γ if size is K + 1."""
    k = len(weight)
    both = weight + weight.T
    gram = np.zeros((size, size))
    gram[:k, :k] = np.diag(both.sum(1)) - both
    if size > k:
        gram[k, :k] = gram[:k, k] = weight.sum(1) - weight.sum(0)
        gram[k, k] = weight.sum()
    return gram


def cold_start(tables: Floats) -> Floats:
    """Log-odds of each model's score rate over all its votes, with half a win and half a loss added."""
    won, lost = tables[2] + tables[1] / 2, tables[0] + tables[1] / 2
    x: Floats = np.log((won.sum(1) + lost.sum(0) + 0.5) / (lost.sum(1) + won.sum(0) + 0.5))
    return x


def newton(
    tables: Floats, x: Floats, tolerance: float = TOLERANCE, free: Ints | None = None
) -> tuple[Floats, Floats, int]:
    """Maximise the log-likelihood over x[free] (default: all, up to a constant) → (x, H⁻¹ there, steps taken).

    Damping: along a step that moves no vote's log-odds by more than δ, the curvature changes by a factor of at most e^δ
    (Bach, Electron. J. Stat. 4:384, 2010). A full step then gains if δ ≤ 1, and a step of ln(1+δ)/δ always does
    (Sun & Tran-Dinh, Math. Program. 178:145, 2019). So there is no line search, to stall on round-off.

    Each step about squares the error. The last one, known beforehand by the size of the one before, is taken with H⁻¹
    itself: its H differs from that of the result by less than `NEARLY` squared. With `free`, no H⁻¹ is made.
    """
    k, size = tables.shape[1], len(x)
    won, lost = tables[2] + tables[1] / 2, tables[0] + tables[1] / 2
    total = won + lost
    move: Any = slice(None) if free is None else free
    block: Any = slice(None) if free is None else np.ix_(free, free)
    inverse = np.empty((0, 0))
    x, steps, delta = x.copy(), 0, math.inf
    while True:
        p, q = probabilities(x, k)
        residual = won * q - lost * p  # = won − total·p, without cancellation
        gradient = np.append(residual.sum(1) - residual.sum(0), [residual.sum()] * (size - k))
        p *= q
        p *= total
        curvature = gram(p, size)
        step = np.zeros(size)
        ends = delta <= max(NEARLY, tolerance) or steps >= MAX_STEPS
        if ends and free is None:
            inverse = pseudo_inverse(curvature, k)
            step = inverse @ gradient
        else:
            if free is None:
                curvature[:k, :k] += np.trace(curvature[:k, :k]) / k**2
            step[move] = np.linalg.solve(curvature[block], gradient[move])
        delta = _largest_move(step, k, total)
        x += step if delta <= 1 else step * (math.log1p(delta) / delta)
        steps += 1
        if (ends or free is not None) and (delta <= tolerance or steps > MAX_STEPS):
            return x, inverse, steps


def _largest_move(step: Floats, k: int, total: Floats) -> float:
    """By how much a step moves the log-odds of any vote; of small steps an upper bound, which costs less."""
    bound = float(np.ptp(step[:k]) + np.abs(step[k:]).sum()) if k else 0.0
    return bound if bound <= 1 else float(np.abs(_log_odds(step, k)).max(where=total > 0, initial=0))


def pseudo_inverse(curvature: Floats, k: int) -> Floats:
    """Inverse of H on ratings that sum to zero: add c·11ᵀ to the K strengths, invert, take 11ᵀ/(cK²) off again."""
    c = np.trace(curvature[:k, :k]) / k**2
    pinned = curvature.copy()
    pinned[:k, :k] += c
    inverse = np.asarray(np.linalg.inv(pinned), np.float64)
    inverse[:k, :k] -= 1 / (c * k**2)
    return inverse


def sandwich(bread: Floats, squared: Floats, x: Floats) -> Floats:
    """H⁻¹BH⁻¹ in nats², from H⁻¹."""
    k, size = squared.shape[1], len(x)
    p, q = probabilities(x, k)
    meat = gram(squared[2] * q**2 + squared[1] * (0.5 - p) ** 2 + squared[0] * p**2, size)
    covariance = bread @ meat @ bread
    return (covariance + covariance.T) / 2
