"""Ratings from votes: the Bradley–Terry maximum-likelihood fit on the Elo scale, and how sure it is.

A voter sees two images and answers left, right, tie or both bad. With x a model's strength in nats (natural log-odds):

    P(left beats right) = 1 / (1 + exp(x_right − x_left))      Zermelo 1929; Bradley & Terry, Biometrika 39:324 (1952)
    elo = 1000 + (400 / ln 10) · (x − mean x)                  Elo 1978: 400 points are odds of ten to one

A tie, and both-bad, is half a win for each side. The fit depends on counts alone, never on the order of the votes, so a
few thousand counts stand for millions of votes. Every matrix is built by one function (`gram`) from the design row of
a vote, z = e_left − e_right: the curvature H = Σ w·p(1−p)·zzᵀ, the meat B = Σ w²·(y−p)²·zzᵀ of the sandwich H⁻¹BH⁻¹,
and one voter's share of H. H is singular along (1, …, 1): H⁻¹ means the pseudo-inverse, on ratings that sum to zero.

K = number of models; arrays over models follow the order of `Cells.models`. Numpy only: no clock, no randomness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]  # any width: millions of votes fit better in 16 bits
Numbers = NDArray[np.floating[Any]]

METHOD_VERSION = "1"  # published with every rating; raise it when the same votes would give another number
MEAN = 1000.0  # Elo of the average fitted model
SCALE = 400 / math.log(10)  # Elo per nat
Z95 = 1.959963984540054  # 97.5 % point of the standard normal: a two-sided 95 % interval
SCORES = {"left": 1.0, "right": 0.0, "tie": 0.5, "both_bad": 0.5}  # what the left side scores

TOLERANCE = 1e-5  # Elo: a Newton step this small leaves an error of about its square, 1e-12 Elo
MAX_STEPS = 200  # Newton needs 3 to 8; a bound, so that a fit always returns
DUST = 1e-9  # counts below this share of the largest are no evidence, only a singular matrix


@dataclass(frozen=True, eq=False)
class Cells:
    """How often each outcome happened: one row per (left, right, score), or per vote – repeated rows add up.

    models   the K names; left and right index them
    score    what left scored: 1, ½ (tie, both bad) or 0
    n        votes, or Σw when votes carry a weight w. Weights are on the scale of votes (a fresh vote counts 1):
             the virtual votes of `fit` and `side_effect` count 1
    squared  Σw², which the sandwich needs; None when every vote counts 1, for then it is n
    """

    models: tuple[str, ...]
    left: Ints
    right: Ints
    score: Floats
    n: Floats
    squared: Floats | None = None

    def __post_init__(self) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "left": np.asarray(self.left, np.int64),
            "right": np.asarray(self.right, np.int64),
            "score": np.asarray(self.score, np.float64),
            "n": np.asarray(self.n, np.float64),
        }
        if self.squared is not None:
            arrays["squared"] = np.asarray(self.squared, np.float64)
        for name, values in arrays.items():
            if values.shape != (arrays["n"].size,):
                raise ValueError(f"{name} has shape {values.shape}, expected ({arrays['n'].size},)")
            object.__setattr__(self, name, values)
        check_votes(len(self.models), self.left, self.right, self.score)
        if len(set(self.models)) != len(self.models):
            raise ValueError("a model is named twice")
        for name in ("n", "squared"):
            if name in arrays and not (np.isfinite(arrays[name]) & (arrays[name] >= 0)).all():
                raise ValueError(f"{name} must be finite and not negative")

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, str, float]], models: Iterable[str] = ()) -> Self:
        """From (left model, right model, outcome, n). `models` adds names nobody voted on; names come out sorted."""
        table = list(rows)
        names = sorted({*models, *(row[0] for row in table), *(row[1] for row in table)})
        code = {name: index for index, name in enumerate(names)}
        if unknown := {row[2] for row in table} - SCORES.keys():
            raise ValueError(f"unknown outcome {min(unknown)!r}, expected one of {', '.join(SCORES)}")
        return cls(
            models=tuple(names),
            left=np.array([code[row[0]] for row in table], np.int64),
            right=np.array([code[row[1]] for row in table], np.int64),
            score=np.array([SCORES[row[2]] for row in table], np.float64),
            n=np.array([row[3] for row in table], np.float64),
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """Ratings of K models. `dataclasses.replace(fit, covariance=…)` swaps in the voter-clustered covariance.

    elo         [K] mean 1000 over the connected models
    covariance  [K, K] Elo²; a model that is not connected has an infinite variance and zero covariances
    connected   [K] part of the fitted component; the others carry a provisional rating and an infinite interval
    bread       [K, K] H⁻¹ in nats², zero for models not connected
    iterations  Newton steps taken for the component
    """

    models: tuple[str, ...]
    elo: Floats
    covariance: Floats
    connected: Bools
    bread: Floats
    iterations: int

    @property
    def se(self) -> Floats:
        """Standard errors [K] in Elo; inf where not connected."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def lower(self) -> Floats:
        """Lower ends [K] of the pointwise 95 % intervals, in Elo."""
        return self.elo - Z95 * self.se

    @property
    def upper(self) -> Floats:
        """Upper ends [K] of the pointwise 95 % intervals, in Elo."""
        return self.elo + Z95 * self.se


@dataclass(frozen=True)
class SideEffect:
    """What standing on the left is worth, in Elo; se is inf when the votes cannot tell side from strength."""

    elo: float
    se: float

    @property
    def lower(self) -> float:
        return self.elo - Z95 * self.se

    @property
    def upper(self) -> float:
        return self.elo + Z95 * self.se


def fit(cells: Cells, *, start: Mapping[str, float] | None = None, tolerance: float = TOLERANCE) -> Fit:
    """The maximum-likelihood ratings with their sandwich covariance (Huber 1967, White 1982).

    The maximum exists where the win graph (an edge i → j once i beat or tied j) is strongly connected (Ford, Amer.
    Math. Monthly 64:28, 1957). Otherwise the largest strongly connected component is fitted – of equal ones the one
    with more votes, then with the first model – and every other model gets a provisional rating with the component
    held fixed: the maximum of its votes' likelihood and one virtual tie with an average (1000) player. If no two models
    share a component, all are provisional.

    `start` gives earlier ratings by model: a warm start, with the same result. `tolerance` is the Newton step in Elo
    after which the fit stops; each step squares the error, so what is left is round-off. Never raises: `Cells` has
    refused what is not a count.
    """
    k = len(cells.models)
    tables, squared = _tables(cells)
    tables, squared = _unsided(tables), _unsided(squared)
    core = _component(tables)
    rest = np.setdiff1d(np.arange(k), core)
    x = np.zeros(k)
    if start is None:
        x[core] = _cold_start(_among(tables, core))
    else:
        known = np.array([start.get(model, MEAN) for model in cells.models], np.float64)
        x = np.clip(np.nan_to_num(known - MEAN), -1500, 1500) / SCALE  # further out the curvature vanishes
    bread, covariance, iterations = np.zeros((k, k)), np.zeros((k, k)), 0
    covariance[rest, rest] = np.inf
    if core.size:
        inside = np.ix_(core, core)
        x[core], iterations = _newton(_among(tables, core), x[core] - x[core].mean(), tolerance)
        x[core] -= x[core].mean()
        bread[inside], covariance[inside] = _sandwich(_among(tables, core), _among(squared, core), x[core])
    if rest.size:
        with_average = np.pad(tables, ((0, 0), (0, 1), (0, 1)))  # index k: the average player, at 0
        with_average[1, rest, k] = 1
        x = _newton(with_average, np.append(x, 0.0), tolerance, free=rest)[0][:k]
    return Fit(cells.models, MEAN + SCALE * x, SCALE**2 * covariance, np.isin(np.arange(k), core), bread, iterations)


def side_effect(cells: Cells) -> SideEffect:
    """γ in P(left beats right) = 1 / (1 + exp(x_right − x_left − γ)), fitted jointly with the strengths x.

    Reported beside the ratings and no part of them. Uses the component that `fit` rates. One virtual tie between equals
    keeps γ finite when one side always wins; it shrinks γ by about one part in the number of votes.
    """
    tables, squared = _tables(cells)
    core = _component(tables)
    k, tables, squared = core.size, _among(tables, core), _among(squared, core)
    if not k:
        return SideEffect(0.0, math.inf)
    with_tie = tables.copy()
    with_tie[1, 0, 0] += 1  # a model against itself: z = e_γ, the virtual tie
    x, _ = _newton(with_tie, np.zeros(k + 1))
    p, q = _probabilities(x, k)
    information = gram(tables.sum(0) * p * q, k + 1)
    strengths = _pseudo_inverse(information[:k, :k], k)
    own = information[k, k] - information[k, :k] @ strengths @ information[:k, k]  # what strengths do not explain
    if own < 1e-9 * information[k, k]:
        return SideEffect(0.0, math.inf)
    _, covariance = _sandwich(with_tie, squared, x)
    return SideEffect(SCALE * float(x[k]), SCALE * math.sqrt(covariance[k, k]))


def expected_score(elo_a: float, elo_b: float) -> float:
    """What a is expected to score against b: its chance of winning plus half its chance of a tie."""
    return 1 / (1 + 10 ** (min(max(elo_b - elo_a, -40_000.0), 40_000.0) / 400))


def online_change(elo_a: float, elo_b: float, score: float, k: float = 4) -> float:
    """The classic Elo update of a after scoring `score` (1, ½, 0) against b; b changes by the opposite.

    For the "+2 / −2" shown after a vote, never for ranking: it depends on the order of the votes.
    """
    return k * (score - expected_score(elo_a, elo_b))


# ------------------------------------------------------------ counts as K × K tables, indexed [2·score, left, right]


def check_votes(k: int, left: Codes, right: Codes, score: Numbers) -> None:
    if left.size and not (min(left.min(), right.min()) >= 0 and max(left.max(), right.max()) < k):
        raise ValueError(f"left and right must index the {k} models")
    if (left == right).any():
        raise ValueError("a model cannot meet itself")
    if not ((score == 0) | (score == 0.5) | (score == 1)).all():
        raise ValueError("score must be 0, 0.5 or 1")


def _tables(cells: Cells) -> tuple[Floats, Floats]:
    """Σw and Σw² as [3, K, K]. Whole numbers add up exactly; other weights are added in ascending order."""
    k = len(cells.models)
    where = ((2 * cells.score).astype(np.int64) * k + cells.left) * k + cells.right

    def added(weights: Floats) -> Floats:
        order = slice(None) if (weights == np.rint(weights)).all() else np.argsort(weights)
        return np.asarray(np.bincount(where[order], weights[order], 3 * k * k), np.float64).reshape(3, k, k)

    tables = added(cells.n)
    squared = tables if cells.squared is None else added(cells.squared)
    dust = tables < DUST * tables.max(initial=0)
    tables[dust] = squared[dust] = 0
    return tables, squared


def _unsided(tables: Floats) -> Floats:
    """The same votes turned so that the lower index stands on the left: which side a model was on drops out."""
    return np.triu(tables + tables[::-1].transpose(0, 2, 1))


def _among(tables: Floats, models: Ints) -> Floats:
    return tables if models.size == tables.shape[1] else tables.take(models, 1).take(models, 2)


def _component(tables: Floats) -> Ints:
    """Indices of the models whose likelihood has a maximum (see `fit`); none when no two models share a component."""
    k = tables.shape[1]
    beat_or_tied = tables[2] + tables[1] + tables[1].T + tables[0].T > 0
    if not beat_or_tied.any():
        return np.empty(0, np.int64)
    reach = beat_or_tied | np.eye(k, dtype=np.bool_)
    while not reach.all():  # paths of up to 1, 2, 4, … edges
        further = reach.astype(np.float32) @ reach.astype(np.float32) > 0
        if (further == reach).all():
            break
        reach = further
    mutual = reach & reach.T  # row = the component of a model
    sizes = mutual.sum(1)
    votes = mutual @ (tables.sum(0) * mutual).sum(1)
    best = np.lexsort((-np.arange(k), votes, sizes))[-1]
    return np.flatnonzero(mutual[best] & (sizes[best] > 1))


# -------------------------------------------------- the likelihood; x is [K] strengths in nats, or [K + 1] with γ last


def _log_odds(x: Floats, k: int) -> Floats:
    """z·x for every ordered pair, [K, K]."""
    return np.asarray(np.subtract.outer(x[:k], x[:k]) + x[k:].sum(), np.float64)


def _probabilities(x: Floats, k: int) -> tuple[Floats, Floats]:
    """P(left wins) and P(right wins) as [K, K], each accurate to its last digit."""
    odds_against = np.exp(np.minimum(-_log_odds(x, k), 700))
    p = 1 / (1 + odds_against)
    return p, odds_against * p


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


def _cold_start(tables: Floats) -> Floats:
    """Log-odds of each model's score rate over all its votes, with half a win and half a loss added."""
    won, lost = tables[2] + tables[1] / 2, tables[0] + tables[1] / 2
    x: Floats = np.log((won.sum(1) + lost.sum(0) + 0.5) / (lost.sum(1) + won.sum(0) + 0.5))
    return x


def _newton(tables: Floats, x: Floats, tolerance: float = TOLERANCE, free: Ints | None = None) -> tuple[Floats, int]:
    """Maximise the log-likelihood over x[free] (default: all, up to a constant) → (x, steps taken).

    Damping: along a step that moves no vote's log-odds by more than δ, the curvature changes by a factor of at most e^δ
    (Bach, Electron. J. Stat. 4:384, 2010). A full step then gains if δ ≤ 1, and a step of ln(1+δ)/δ always does
    (Sun & Tran-Dinh, Math. Program. 178:145, 2019). So there is no line search, to stall on round-off.
    """
    k, size = tables.shape[1], len(x)
    won, lost = tables[2] + tables[1] / 2, tables[0] + tables[1] / 2
    total = won + lost
    met = total > 0
    move: Any = slice(None) if free is None else free
    block: Any = slice(None) if free is None else np.ix_(free, free)
    x, steps, delta = x.copy(), 0, math.inf
    while delta * SCALE > tolerance and steps < MAX_STEPS:
        p, q = _probabilities(x, k)
        residual = won * q - lost * p  # = won − total·p, without cancellation
        gradient = np.append(residual.sum(1) - residual.sum(0), [residual.sum()] * (size - k))
        curvature = gram(total * p * q, size)
        if free is None:
            curvature[:k, :k] += np.trace(curvature[:k, :k]) / k**2
        step = np.zeros(size)
        step[move] = np.linalg.solve(curvature[block], gradient[move])
        delta = float(np.abs(_log_odds(step, k)).max(where=met, initial=0))
        x += step if delta <= 1 else step * (math.log1p(delta) / delta)
        steps += 1
    return x, steps


def _pseudo_inverse(curvature: Floats, k: int) -> Floats:
    """Inverse of H on ratings that sum to zero: add c·11ᵀ to the K strengths, invert, take 11ᵀ/(cK²) off again."""
    c = np.trace(curvature[:k, :k]) / k**2
    pinned = curvature.copy()
    pinned[:k, :k] += c
    inverse = np.asarray(np.linalg.inv(pinned), np.float64)
    inverse[:k, :k] -= 1 / (c * k**2)
    return inverse


def _sandwich(tables: Floats, squared: Floats, x: Floats) -> tuple[Floats, Floats]:
    """H⁻¹ and H⁻¹BH⁻¹ in nats²."""
    k, size = tables.shape[1], len(x)
    p, q = _probabilities(x, k)
    bread = _pseudo_inverse(gram(tables.sum(0) * p * q, size), k)
    meat = gram(squared[2] * q**2 + squared[1] * (0.5 - p) ** 2 + squared[0] * p**2, size)
    covariance = bread @ meat @ bread
    return bread, (covariance + covariance.T) / 2
