"""Which two images a voter meets next. Pure: a pool of entries and what was seen → a pair and its probability.

A vote is worth most where it makes the ratings surer. With C the covariance of the strengths and v = p(1−p) the
information of one vote on the pair i, j, the sum of all variances falls by

    v · (Q_ii + Q_jj − 2Q_ij) / (1 + v · (C_ii + C_jj − 2C_ij)),   Q = C²       (A-optimal design)

A pair is drawn in proportion to the square of that, times five if one of the two is still provisional: in simulation,
three new models settle with 35 % of the votes that drawing uniformly takes. `scores` computes it whenever ratings are
made; until there are any, pairs that have met less come first. Four rules keep the draw fair and open to audit:

* A tenth of all draws is uniform: a prompt, then a pair of its images. So every prompt and every pair keeps a known
  chance, and no feedback loop can starve one.
* No model takes part in more than a quarter of the battles, or, with fewer than twelve models, in more than 1.5 times
  its even share: among eight, a quarter is the even share, and would leave nothing to choose. With a fifth the figure
  above is 42 %, with three tenths 29 %, without any limit 24 % (`benchmarks.ratings`, T10).
* Of the prompts on which a drawn pair can still meet, those come first whose images this voter has not met beside
  others: after a vote their names were shown, and who remembers the picture is no longer blind.
* The probability given with a draw is the true one, for this voter, of this unordered pair; sides are a fair coin.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNIFORM_SHARE = 0.1
LARGEST_SHARE = 0.25  # of all battles, for one model
EVEN_SHARE = 1.5  # … or this many even shares, where that is more
BOOST = 5.0  # for pairs with a provisional model
UNKNOWN_VARIANCE = 4.0  # nats²: as after one vote between equals, which carries the information ¼

Pair = frozenset[int]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be drawn, by the ids of the entry, its prompt and its model."""

    entry: int
    prompt: int
    model: int


@dataclass(frozen=True, eq=False)
class Table:
    """What a vote on each pair is worth, as of the last ratings: models by id in ascending order, scores [K, K]."""

    models: tuple[int, ...]
    scores: NDArray[Any]


def scores(strength: Floats, covariance: Floats, provisional: Bools) -> Floats:
    """Drawing weights [K, K] of all pairs of models, the largest 1.

    strength in nats, covariance in nats² with an infinite variance for a model not connected yet, provisional [K].
    """
    k = len(strength)
    if k < 2:
        return np.zeros((k, k))
    c = covariance.copy()
    unknown = ~np.isfinite(np.diag(c))
    c[unknown, unknown] = UNKNOWN_VARIANCE
    q = c @ c
    p = 1 / (1 + np.exp(np.clip(np.subtract.outer(strength, strength), -700, 700)))
    v = p * (1 - p)
    gain = v * _of_difference(q) / (1 + v * _of_difference(c))
    weight = gain**2 * np.where(np.logical_or.outer(provisional, provisional), BOOST, 1)
    np.fill_diagonal(weight, 0)
    return np.asarray(weight / weight.max() if weight.max() > 0 else 1 - np.eye(k), np.float64)


def _of_difference(matrix: Floats) -> Floats:
    """M_ii + M_jj − 2M_ij."""
    return np.asarray(np.maximum(np.add.outer(np.diag(matrix), np.diag(matrix)) - 2 * matrix, 0), np.float64)


@dataclass(frozen=True)
class Pool:
    """Everything that can be asked in a category: its entries, and what is known about which pairs to ask.

    `met` counts how often each pair of models met; it decides as long as there is no `table`.
    """

    candidates: tuple[Candidate, ...]
    met: Mapping[Pair, int]
    table: Table | None = None

    @cached_property
    def models(self) -> list[int]:
        return sorted({candidate.model for candidate in self.candidates})

    @cached_property
    def prompts(self) -> list[int]:
        return sorted({candidate.prompt for candidate in self.candidates})

    @cached_property
    def entries(self) -> NDArray[np.int64]:
        """[prompts, models] the entry, or −1."""
        row = {prompt: index for index, prompt in enumerate(self.prompts)}
        column = {model: index for index, model in enumerate(self.models)}
        entries = np.full((len(row), len(column)), -1, np.int64)
        for candidate in self.candidates:
            entries[row[candidate.prompt], column[candidate.model]] = candidate.entry
        return entries

    @cached_property
    def place_of(self) -> dict[int, tuple[int, int]]:
        """Entry → its row and column in `entries`."""
        rows, columns = np.nonzero(self.entries >= 0)
        names = self.entries[rows, columns].tolist()
        return dict(zip(names, zip(rows.tolist(), columns.tolist(), strict=True), strict=True))

    @cached_property
    def shared(self) -> NDArray[np.int64]:
        """[K, K] on how many prompts two models can meet; above the diagonal."""
        there = (self.entries >= 0).astype(np.float64)
        return np.triu(there.T @ there, 1).astype(np.int64)

    @cached_property
    def battles_of(self) -> NDArray[np.int64]:
        """[prompts] how many different battles each prompt holds."""
        n = (self.entries >= 0).sum(1)
        return np.asarray(n * (n - 1) // 2, np.int64)

    @cached_property
    def chances(self) -> Floats:
        """[K, K] above the diagonal: the chance of each pair of models in the nine tenths that are not uniform."""
        weight = np.where(self.shared > 0, self._weights(), 0.0)
        total = weight.sum()
        if not total > 0:
            return weight
        return capped(weight / total, self.uniform)

    @cached_property
    def uniform(self) -> Floats:
        """[K, K] above the diagonal: the chance of each pair of models in the uniform tenth: a prompt, then a pair."""
        asked = self.battles_of > 0
        there = (self.entries[asked] >= 0).astype(np.float64)
        per_prompt = there / self.battles_of[asked, None] / max(1, asked.sum())
        return np.asarray(np.triu(there.T @ per_prompt, 1), np.float64)

    def _weights(self) -> Floats:
        k = len(self.models)
        if self.table is None or len(self.table.models) < 2:
            column = {model: index for index, model in enumerate(self.models)}
            met = np.zeros((k, k))
            for pair, count in self.met.items():
                if pair <= column.keys():
                    one, other = sorted(column[model] for model in pair)
                    met[one, other] = count
            return np.asarray(1 / (1 + met) ** 2, np.float64)
        place = {model: index for index, model in enumerate(self.table.models)}
        at = np.array([place.get(model, -1) for model in self.models], np.int64)
        weight = self.table.scores[np.ix_(at, at)].astype(np.float64)
        weight[at < 0, :] = weight[:, at < 0] = BOOST * self.table.scores.max()  # a model without any vote comes first
        return np.maximum(weight, 1e-12)

    @property
    def size(self) -> int:
        """How many different battles the pool holds."""
        return int(self.battles_of.sum())


def capped(chances: Floats, uniform: Floats) -> Floats:
    """Chances of pairs, changed so that no model's share of all battles passes the cap. Both [K, K] above the diagonal.

    The cap counts the uniform tenth too. Models above it are scaled down in turn; where that does not end (a model
    that shares prompts with few others), the rest of the way goes towards the uniform draw.
    """
    k = len(chances)
    from_uniform = UNIFORM_SHARE * _shares(uniform)
    cap = np.maximum((max(LARGEST_SHARE, EVEN_SHARE * 2 / k) - from_uniform) / (1 - UNIFORM_SHARE), 0)
    for _ in range(50):
        share = _shares(chances)
        if (share <= cap * (1 + 1e-9)).all():
            return chances
        factor = np.where(share > cap, cap / np.maximum(share, 1e-300), 1)
        chances = chances * np.minimum.outer(factor, factor)
        chances /= chances.sum()
    share, target = _shares(chances), _shares(uniform)
    over = (share > cap) & (share > target)
    blend = np.clip((share - cap)[over] / (share - target)[over], 0, 1).max(initial=0)
    return np.asarray((1 - blend) * chances + blend * uniform, np.float64)


def _shares(chances: Floats) -> Floats:
    """[K] in what share of the battles each model takes part."""
    return np.asarray(chances.sum(0) + chances.sum(1), np.float64)


@dataclass(frozen=True, slots=True)
class Draw:
    """Two entries of one prompt in the order they are shown; `probability` is that of drawing this unordered pair."""

    prompt: int
    left: int
    right: int
    probability: float


def draw(pool: Pool, seen: Set[Pair], random: Random) -> Draw | None:
    """Draw a battle that is not in `seen` (pairs of entries); None when the voter has seen them all.

    Nine times in ten a pair of models by its chance, then uniformly one of its unseen prompts that are freshest to this
    voter; else a prompt uniformly, then one of its unseen pairs. Work: K² numbers, and what the voter has seen.
    """
    chances, left_to_ask, prompts_left = pool.chances, None, pool.battles_of
    seen_at: dict[tuple[int, int], set[int]] = {}  # pair of models → prompts on which this voter saw it
    met: set[tuple[int, int]] = set()  # places in `entries` of the images this voter met
    for pair in seen:
        places = [pool.place_of[entry] for entry in pair if entry in pool.place_of]
        met.update(places)
        if len(places) == 2 and places[0][0] == places[1][0]:
            one, other = sorted((places[0][1], places[1][1]))
            seen_at.setdefault((one, other), set()).add(places[0][0])
    if seen_at:
        left_to_ask, prompts_left = chances.copy(), prompts_left.copy()
        for (one, other), prompts in seen_at.items():
            prompts_left[list(prompts)] -= 1
            if len(prompts) == pool.shared[one, other]:
                left_to_ask[one, other] = 0
        chances = left_to_ask
    open_prompts = np.flatnonzero(prompts_left > 0)
    if not open_prompts.size:
        return None
    running = chances.ravel().cumsum()
    total = float(running[-1])
    by_chance = 1 - UNIFORM_SHARE if total > 0 else 0.0
    k = len(pool.models)
    if random.random() < by_chance:
        cell = int(np.searchsorted(running, random.random() * total, side="right"))
        one, other = divmod(min(cell, int(np.flatnonzero(chances.ravel())[-1])), k)
        prompt = random.choice(_freshest_prompts(pool, one, other, seen_at, met))
    else:
        prompt = int(random.choice(open_prompts))
        one, other = _uniform_pair(pool, prompt, seen_at, random)
    probability = (1 - by_chance) / open_prompts.size / int(prompts_left[prompt])
    if total > 0:
        freshest = _freshest_prompts(pool, one, other, seen_at, met)
        if prompt in freshest:
            probability += by_chance * float(chances[one, other]) / total / len(freshest)
    sides = [int(pool.entries[prompt, one]), int(pool.entries[prompt, other])]
    left, right = random.sample(sides, 2)
    return Draw(pool.prompts[prompt], left, right, probability=min(probability, 1.0))


def _freshest_prompts(
    pool: Pool, one: int, other: int, seen_at: Mapping[tuple[int, int], set[int]], met: Set[tuple[int, int]]
) -> list[int]:
    """The prompts on which the voter has not seen the two models meet, of those with the fewest images met before."""
    both = np.flatnonzero((pool.entries[:, one] >= 0) & (pool.entries[:, other] >= 0)).tolist()
    seen = seen_at.get((one, other), set())
    stale = {prompt: ((prompt, one) in met) + ((prompt, other) in met) for prompt in both if prompt not in seen}
    least = min(stale.values(), default=0)
    return [prompt for prompt, count in stale.items() if count == least]


def _uniform_pair(
    pool: Pool, prompt: int, seen_at: Mapping[tuple[int, int], set[int]], random: Random
) -> tuple[int, int]:
    there = np.flatnonzero(pool.entries[prompt] >= 0)
    free = np.triu(np.ones((there.size, there.size), np.bool_), 1)
    column = {model: index for index, model in enumerate(there.tolist())}
    for (one, other), prompts in seen_at.items():
        if prompt in prompts:
            free[column[one], column[other]] = False
    cell = int(random.choice(np.flatnonzero(free)))
    return int(there[cell // there.size]), int(there[cell % there.size])
