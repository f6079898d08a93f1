"""Ratings from votes: the Bradley–Terry maximum-likelihood fit on the Elo scale, and how sure it is.

A voter sees two images and answers left, right, tie or both bad. With x a model's strength in nats (natural log-odds):

    P(left beats right) = 1 / (1 + exp(x_right − x_left))      Zermelo 1929; Bradley & Terry, Biometrika 39:324 (1952)
    elo = 1000 + (400 / ln 10) · (x − mean x)                  Elo 1978: 400 points are odds of ten to one

A tie, and both-bad, is half a win for each side. The fit depends on counts alone, never on the order of the votes, so a
few thousand counts stand for millions of votes. `likelihood` has the mathematics.

K = number of models; arrays over models follow the order of `Cells.models`. Numpy only: no clock, no randomness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leaderboard.rating.likelihood import (
    TOLERANCE,
    Bools,
    Codes,
    Floats,
    Ints,
    Numbers,
    among,
    cold_start,
    component,
    components,
    gram,
    newton,
    probabilities,
    pseudo_inverse,
    sandwich,
    tables_of,
    unsided,
)

METHOD_VERSION = "4"  # published with every rating; raise it when the same votes would give another number
MEAN = 1000.0  # Elo of the average fitted model
SCALE = 400 / math.log(10)  # Elo per nat
Z95 = 1.959963984540054  # 97.5 % point of the standard normal: a two-sided 95 % interval
SCORES = {"left": 1.0, "right": 0.0, "tie": 0.5, "both_bad": 0.5}  # what the left side scores


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
    """What standing on the left is worth, in Elo; se is inf when the votes cannot distinguish side from strength."""

    elo: float
    se: float

    @property
    def lower(self) -> float:
        return self.elo - Z95 * self.se

    @property
    def upper(self) -> float:
        return self.elo + Z95 * self.se


def fit(cells: Cells, *, start: Mapping[str, float] | None = None, tolerance: float = TOLERANCE * SCALE) -> Fit:
    """The maximum-likelihood ratings with their sandwich covariance (Huber 1967, White 1982).

    The maximum exists where the win graph (an edge i → j once i beat or tied j) is strongly connected (Ford, Amer.
    Math. Monthly 64:28, 1957). Otherwise the strongly connected component with most votes is fitted – of equal ones the
    one with more models, then with the first model – and every other model gets a provisional rating with the component
    held fixed: the maximum of its votes' likelihood and one virtual tie with an average (1000) player. If no two models
    share a component, all are provisional.

    `start` gives earlier ratings by model: a warm start, with the same result. `tolerance` is the Newton step in Elo
    after which the fit stops; each step squares the error, so what is left is round-off. Never raises: `Cells` has
    refused what is not a count.
    """
    k = len(cells.models)
    tables, squared = tables_of(k, cells.left, cells.right, cells.score, cells.n, cells.squared)
    tables, squared = unsided(tables), unsided(squared)
    core = component(tables)
    connected = np.zeros(k, np.bool_)
    connected[core] = True
    rest = np.flatnonzero(~connected)
    x = np.zeros(k)
    if start is None:
        x[core] = cold_start(among(tables, core))
    else:
        known = np.array([start.get(model, MEAN) for model in cells.models], np.float64)
        x = np.clip(np.nan_to_num(known - MEAN), -1500, 1500) / SCALE  # further out the curvature vanishes
    bread, covariance, iterations = np.zeros((k, k)), np.zeros((k, k)), 0
    covariance[rest, rest] = np.inf
    if core.size:
        among_core = slice(None) if core.size == k else np.ix_(core, core)
        own = among(tables, core)
        x[core], inverse, iterations = newton(own, x[core] - x[core].mean(), tolerance / SCALE)
        x[core] -= x[core].mean()
        bread[among_core] = inverse
        covariance[among_core] = SCALE**2 * sandwich(inverse, among(squared, core), x[core])
    if rest.size:
        with_average = np.pad(tables, ((0, 0), (0, 1), (0, 1)))  # index k: the average player, at 0
        with_average[1, rest, k] = 1
        x = newton(with_average, np.append(x, 0.0), tolerance / SCALE, free=rest)[0][:k]
    return Fit(cells.models, MEAN + SCALE * x, covariance, connected, bread, iterations)


def anchored(fit: Fit, members: Iterable[str]) -> Fit:
    """The fit on the scale on which the mean of these models is 1000; unchanged where none of them is connected.

    With the mean of all models at 1000 every rating moves when models join: five weak newcomers lift twelve old ones by
    84 Elo. Differences, and their errors, stay as they are; an interval becomes that of the distance to the anchor.
    """
    anchors = set(members)
    anchor = np.array([model in anchors for model in fit.models], np.bool_) & fit.connected
    if not anchor.any():
        return fit
    shift = MEAN - fit.elo[anchor].mean()
    return replace(fit, elo=fit.elo + shift, covariance=_relative(fit.covariance, fit.connected, anchor))


def centred(fit: Fit) -> Floats:
    """The covariance [K, K] on the scale on which the mean of the connected models is fixed, whatever the anchor."""
    return _relative(fit.covariance, fit.connected, fit.connected)


def _relative(covariance: Floats, connected: Bools, anchor: Bools) -> Floats:
    """Covariance of the distances to the mean of the anchor's ratings; other entries stay."""
    core = np.flatnonzero(connected)
    weight = anchor[core] / max(1, int(anchor.sum()))
    inside = covariance[np.ix_(core, core)]
    shared = inside @ weight
    moved = inside - shared[:, None] - shared[None, :] + weight @ shared
    np.fill_diagonal(moved, np.maximum(np.diag(moved), 0))
    result = covariance.copy()
    result[np.ix_(core, core)] = moved
    return result


def groups_apart(cells: Cells) -> list[tuple[str, ...]]:
    """The groups of models that meet each other but not the fitted ones: rated among themselves they would be a board
    of their own. Those with most votes first."""
    k = len(cells.models)
    tables, _ = tables_of(k, cells.left, cells.right, cells.score, cells.n, cells.squared)
    return [tuple(cells.models[index] for index in group) for group in components(unsided(tables))[1:]]


def side_effect(cells: Cells) -> SideEffect:
    """γ in P(left beats right) = 1 / (1 + exp(x_right − x_left − γ)), fitted jointly with the strengths x.

    Reported beside the ratings and no part of them. Uses the component that `fit` rates. One virtual tie between equals
    keeps γ finite when one side always wins; it shrinks γ by about one part in the number of votes.
    """
    k = len(cells.models)
    tables, squared = tables_of(k, cells.left, cells.right, cells.score, cells.n, cells.squared)
    core = component(tables)
    k, tables, squared = core.size, among(tables, core), among(squared, core)
    if not k:
        return SideEffect(0.0, math.inf)
    with_tie = tables.copy()
    with_tie[1, 0, 0] += 1  # a model against itself: z = e_γ, the virtual tie
    x, bread, _ = newton(with_tie, np.zeros(k + 1))
    p, q = probabilities(x, k)
    information = gram(tables.sum(0) * p * q, k + 1)
    strengths = pseudo_inverse(information[:k, :k], k)
    own = information[k, k] - information[k, :k] @ strengths @ information[:k, k]  # what strengths do not explain
    if own < 1e-9 * information[k, k]:
        return SideEffect(0.0, math.inf)
    covariance = sandwich(bread, squared, x)
    return SideEffect(SCALE * float(x[k]), SCALE * math.sqrt(covariance[k, k]))


def expected_score(elo_a: float, elo_b: float) -> float:
    """What a is expected to score against b: its chance of winning plus half its chance of a tie."""
    return 1 / (1 + 10 ** (min(max(elo_b - elo_a, -40_000.0), 40_000.0) / 400))


def online_change(elo_a: float, elo_b: float, score: float, k: float = 4) -> float:
    """The classic Elo update of a after scoring `score` (1, ½, 0) against b; b changes by the opposite.

    For the "+2 / −2" shown after a vote, never for ranking: it depends on the order of the votes.
    """
    return k * (score - expected_score(elo_a, elo_b))


def check_votes(k: int, left: Codes, right: Codes, score: Numbers) -> None:
    """Raises ValueError unless codes are in 0 … k − 1, no model meets itself, and each score is 0, ½ or 1."""
    if left.size and not (min(left.min(), right.min()) >= 0 and max(left.max(), right.max()) < k):
        raise ValueError(f"left and right must index the {k} models")
    if (left == right).any():
        raise ValueError("a model cannot meet itself")
    if not ((score == 0) | (score == 0.5) | (score == 1)).all():
        raise ValueError("score must be 0, 0.5 or 1")
