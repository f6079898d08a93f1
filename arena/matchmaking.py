"""Which two images a voter meets next. Pure: a pool of entries and what was met → a pair and its probability.

A vote is worth most where it makes the ratings surer. With C the covariance of the strengths and v = p(1−p) the
information of one vote on the pair i, j, the sum of all variances falls by

    v · (Q_ii + Q_jj − 2Q_ij) / (1 + v · (C_ii + C_jj − 2C_ij)),   Q = C²       (A-optimal design)

A pair is drawn in proportion to the square of that, times five if one of the two is still provisional: in simulation,
three new models settle with 35 % of the votes that drawing uniformly takes. `vote_worth.scores` computes it whenever
ratings are made; until there are any, pairs that have met less come first. Six rules keep the draw fair, and open to
audit:

* A tenth of all draws is uniform: a prompt, then a pair of its images. So every prompt and every pair keeps a known
  chance, and no feedback loop can starve one.
* No model takes part in more than a quarter of the battles, or, with fewer than twelve models, in more than 1.5 times
  its even share: among eight, a quarter is the even share, and would leave nothing to choose. With a fifth the figure
  above is 42 %, with three tenths 29 %, without any limit 24 % (`benchmarks.ratings`, T10).
* Newcomers do not take over a grown board: together at most half of the battles have one, and at most three tenths one
  of a certain lab while another lab's are in play (five siblings took part in 93 % of all; see `battle_shares`).
* The prompt comes first, by what is still unseen on it: after a vote the names of its images were shown, and who
  remembers a picture is no longer blind. So images that this voter has met come back only when no prompt has two fresh
  ones left, and none of the last four prompts is asked again while another has any; after two of
  one competition it is another's turn, on the same terms. In simulated arenas of 8 / 12 / 15
  prompts, votes on an image whose maker was shown before fall from 44 / 21 / 11 % to 24 / 5 / 0 %, and ratings become
  as certain as before.
* A model enters the draw of a competition when it has images on two thirds of its prompts: with a third it would take
  three times as many votes to be rated.
* The probability given with a draw is the true one, for this voter, of this unordered pair; sides are a fair coin.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .battle_shares import GROWN, LAB_SHARE, NEWCOMERS_SHARE, UNIFORM_SHARE, Group, capped
from .vote_worth import BOOST

CHECK_SHARE = 0.05  # of all draws, for images of one model through two providers
PRESENCE = 2 / 3  # of a competition's prompts that a model has answered when it enters the draw
RECENT = 4  # prompts that are not asked again at once: a round of five votes has five prompts
IN_A_ROW = 2  # prompts of one competition, while another has as fresh ones

Pair = frozenset[int]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be drawn, by the ids of the entry, its prompt, its model, the prompt's competition and the
    model's lab; None where no lab is known."""

    entry: int
    prompt: int
    model: int
    competition: int = 0
    lab: int | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """What a vote on each pair is worth, as of the last ratings: models by id in ascending order, scores [K, K], and
    the ids of those whose rating is provisional."""

    models: tuple[int, ...]
    scores: NDArray[Any]
    provisional: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Pool:
    """Everything that can be asked in a category: its entries, and what is known about which pairs to ask.

    `met` counts how often each pair of models met; it decides as long as there is no `table`. `checks` are pairs of
    images of one model, through two providers: prompt and entries.
    """

    candidates: tuple[Candidate, ...]
    met: Mapping[Pair, int]
    table: Table | None = None
    checks: tuple[tuple[int, int, int], ...] = ()

    def scored(self, met: Mapping[Pair, int], table: Table | None) -> Pool:
        """The same images with other scores; what follows from the images alone is not computed again."""
        pool = Pool(self.candidates, met, table, self.checks)
        known = ("entrants", "models", "prompts", "entries", "there", "index", "shared", "battles_of", "uniform")
        pool.__dict__.update({name: self.__dict__[name] for name in known if name in self.__dict__})
        return pool

    @cached_property
    def entrants(self) -> tuple[Candidate, ...]:
        """The candidates of models with images on enough prompts; all, where that would leave no pair."""
        prompts: dict[int, set[int]] = {}
        answered: dict[tuple[int, int], set[int]] = {}
        for candidate in self.candidates:
            prompts.setdefault(candidate.competition, set()).add(candidate.prompt)
            answered.setdefault((candidate.competition, candidate.model), set()).add(candidate.prompt)
        enough = {key for key, own in answered.items() if len(own) >= math.ceil(PRESENCE * len(prompts[key[0]]) - 1e-9)}
        entrants = tuple(
            candidate for candidate in self.candidates if (candidate.competition, candidate.model) in enough
        )
        models_of: Counter[int] = Counter(candidate.prompt for candidate in entrants)
        return entrants if any(count > 1 for count in models_of.values()) else self.candidates

    @cached_property
    def models(self) -> list[int]:
        return sorted({candidate.model for candidate in self.entrants})

    @cached_property
    def prompts(self) -> list[int]:
        return sorted({candidate.prompt for candidate in self.entrants})

    @cached_property
    def entries(self) -> NDArray[np.int64]:
        """[prompts, models] the entry, or −1."""
        row = {prompt: index for index, prompt in enumerate(self.prompts)}
        column = {model: index for index, model in enumerate(self.models)}
        entries = np.full((len(row), len(column)), -1, np.int64)
        for candidate in self.entrants:
            entries[row[candidate.prompt], column[candidate.model]] = candidate.entry
        return entries

    @cached_property
    def there(self) -> Bools:
        """[prompts, models] whether the model has an image on the prompt."""
        return self.entries >= 0

    @cached_property
    def index(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Entry ids in ascending order, and the row and column of each in `entries`."""
        rows, columns = np.nonzero(self.entries >= 0)
        ids = self.entries[rows, columns]
        order = np.argsort(ids)
        return ids[order], rows[order], columns[order]

    @cached_property
    def competitions(self) -> NDArray[np.int64]:
        """[prompts] the competition of each."""
        of = {candidate.prompt: candidate.competition for candidate in self.entrants}
        return np.array([of[prompt] for prompt in self.prompts], np.int64)

    def of_competition(self, rows: list[int]) -> Bools:
        """[prompts] those of the competition that all of these prompts belong to; none, where they are too few or of
        several."""
        own = np.unique(self.competitions[rows])
        return (
            self.competitions == own[0]
            if len(rows) == IN_A_ROW and len(own) == 1
            else np.zeros(len(self.prompts), np.bool_)
        )

    @cached_property
    def terms(self) -> Floats:
        """[K, K] symmetric: the chance of each pair of models, spread evenly over the prompts they share."""
        spread = self.chances / np.maximum(self.shared, 1)
        return np.asarray(spread + spread.T, np.float64)

    @cached_property
    def masses(self) -> Floats:
        """[prompts] the sum of the terms of a prompt's pairs: the chance of the prompt for a new voter."""
        return _mass(self.entries >= 0, self.terms)

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
        return capped(weight / total, self.uniform, self._groups())

    def _groups(self) -> list[Group]:
        """Who is capped together: the newcomers of each lab, then all; nobody on a board of newcomers."""
        if self.table is None:
            return []
        established = set(self.table.models) - self.table.provisional
        new = np.array([model not in established for model in self.models], np.bool_)
        if not new.any() or len(new) - new.sum() < GROWN:
            return []
        lab_of = {candidate.model: candidate.lab for candidate in self.entrants}
        labs = np.array([-1 if lab_of[model] is None else lab_of[model] for model in self.models], np.int64)
        of_lab = [new & (labs == lab) for lab in np.unique(labs[new & (labs >= 0)])]
        others_in_play = [mask for mask in of_lab if (new & ~mask).any()]
        return [*((mask, LAB_SHARE) for mask in others_in_play), (new, NEWCOMERS_SHARE)]

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


def _mass(free: Bools, terms: Floats) -> Floats:
    """[rows] the sum of the terms of all pairs of a row's models. free: [rows, K].

    In portions that BLAS does not spread over threads: these wait for each other while others use the cores.
    """
    there = free.astype(np.float64)
    rows = max(1, 200_000 // terms.size)
    if len(there) <= rows:
        return np.asarray(np.maximum(((there @ terms) * there).sum(1) / 2, 0), np.float64)
    return np.concatenate([_mass(free[start : start + rows], terms) for start in range(0, len(free), rows)])


@dataclass(frozen=True, slots=True)
class Draw:
    """Two entries of one prompt in the order they are shown; `probability` is that of drawing this unordered pair, and
    `familiar` how many of the two this voter had met in another pair."""

    prompt: int
    left: int
    right: int
    probability: float
    familiar: int = 0


NOTHING_MET: NDArray[np.int64] = np.zeros((0, 2), np.int64)


def draw(pool: Pool, met: NDArray[np.int64], random: Random) -> Draw | None:
    """Draw a battle that the voter has not met; None when they have met them all. One in twenty is a check of a
    provider, while there are some of whose images the voter has met neither."""
    known = set(met.ravel().tolist()) if pool.checks else set()
    checks = [check for check in pool.checks if known.isdisjoint(check[1:])]
    if not checks:
        return _draw(pool, met, random)
    if random.random() < CHECK_SHARE:
        prompt, *pair = random.choice(checks)
        left, right = random.sample(pair, 2)
        return Draw(prompt, left, right, CHECK_SHARE / len(checks))
    drawn = _draw(pool, met, random)
    return None if drawn is None else replace(drawn, probability=(1 - CHECK_SHARE) * drawn.probability)


def _draw(pool: Pool, met: NDArray[np.int64], random: Random) -> Draw | None:
    """Of two models; None when the voter has met all pairs.

    met: [n, 2] the pairs of entries assigned to this voter, in their order. Nine times in ten a prompt by the mass of
    its pairs of unmet images, then a pair by its term; else both uniformly. Work: K² numbers, and K for each prompt
    that this voter has seen.
    """
    if not pool.prompts:
        return None
    there = pool.there
    ids, rows, columns = pool.index
    at = np.minimum(np.searchsorted(ids, met), ids.size - 1)
    known = ids[at] == met
    met_images = np.zeros_like(there)
    met_images[rows[at[known]], columns[at[known]]] = True
    both = at[known.all(1)]
    recent = list(dict.fromkeys(rows[both[::-1, 0]].tolist()))[:RECENT]
    tired = pool.of_competition(recent[:IN_A_ROW])

    # Two images that this voter has not met: only touched prompts differ from what is cached.
    touched = np.unique(rows[at[known]])
    free = there[touched] & ~met_images[touched]
    masses, pairs = pool.masses.copy(), pool.battles_of.copy()
    masses[touched] = _mass(free, pool.terms)
    n = free.sum(1)
    pairs[touched] = n * (n - 1) // 2
    if pairs.any():
        prompt, by_chance, total, count = _prompt(masses, pairs, recent, tired, random)
        unmet = np.flatnonzero(there[prompt] & ~met_images[prompt])
        if by_chance:
            one = int(unmet[_pick(pool.terms[np.ix_(unmet, unmet)].sum(1), random)])
            other = int(unmet[_pick(pool.terms[one, unmet], random)])
        else:
            one, other = random.sample(unmet.tolist(), 2)
        return _drawn(pool, prompt, one, other, total, count, int(pairs[prompt]), 0, random)

    # Else pairs with one image that was met, then with two.
    seen = np.zeros((len(pool.prompts), len(pool.models), len(pool.models)), np.bool_)
    low, high = np.sort(columns[both], axis=1).T if both.size else (both[:, 0], both[:, 1])
    seen[rows[both[:, 0]], low, high] = True
    open_pairs = np.triu(there[:, :, None] & there[:, None, :], 1) & ~seen
    familiar = met_images[:, :, None].astype(np.int64) + met_images[:, None, :]
    for level in (1, 2):
        eligible = open_pairs & (familiar <= level)
        pairs = eligible.sum((1, 2))
        if pairs.any():
            masses = (eligible * pool.terms).sum((1, 2))
            prompt, by_chance, total, count = _prompt(masses, pairs, recent, tired, random)
            weights = (eligible[prompt] * pool.terms if by_chance else eligible[prompt].astype(np.float64)).ravel()
            one, other = divmod(_pick(weights, random), len(pool.models))
            return _drawn(pool, prompt, one, other, total, count, int(pairs[prompt]), level, random)
    return None


def _prompt(
    masses: Floats, pairs: NDArray[np.int64], recent: list[int], tired: Bools, random: Random
) -> tuple[int, bool, float, int]:
    """A prompt's row among those with pairs, the last few and a competition asked twice left out unless there is no
    other; whether it was drawn by its mass, the sum of the masses it was drawn among, and the number of these prompts.
    """
    is_open = pairs > 0
    fresh = is_open.copy()
    fresh[recent] = False
    rows = np.flatnonzero(next((rows for rows in (fresh & ~tired, fresh) if rows.any()), is_open))
    weights = masses[rows]
    total = float(weights.sum())
    by_chance = total > 0 and random.random() >= UNIFORM_SHARE
    row = int(rows[_pick(weights, random)]) if by_chance else int(random.choice(rows.tolist()))
    return row, by_chance, total, len(rows)


def _pick(weights: Floats, random: Random) -> int:
    """An index in proportion to its weight."""
    running = weights.cumsum()
    index = int(np.searchsorted(running, random.random() * running[-1], side="right"))
    return index if index < weights.size and weights[index] > 0 else int(np.flatnonzero(weights)[-1])


def _drawn(
    pool: Pool, prompt: int, one: int, other: int, total: float, prompts: int, pairs: int, familiar: int, random: Random
) -> Draw:
    by_chance = 1 - UNIFORM_SHARE if total > 0 else 0.0
    probability = (1 - by_chance) / prompts / pairs
    if total > 0:
        probability += by_chance * float(pool.terms[one, other]) / total
    left, right = random.sample([int(pool.entries[prompt, one]), int(pool.entries[prompt, other])], 2)
    return Draw(pool.prompts[prompt], left, right, min(probability, 1.0), familiar)
