"""What a voter may be asked in a category: its entries, and how likely each pair of models is to be drawn. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.matchmaking.battle_shares import GROWN, LAB_SHARE, NEWCOMERS_SHARE, Group, capped
from arena.matchmaking.vote_worth import BOOST

PRESENCE = 2 / 3  # of a competition's prompts that a model has answered when it enters the draw
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

    def within(self, competition: int) -> Pool:
        """The part of one competition, with the same scores."""
        if competition not in self._parts:
            own = tuple(candidate for candidate in self.candidates if candidate.competition == competition)
            prompts = {candidate.prompt for candidate in own}
            checks = tuple(check for check in self.checks if check[0] in prompts)
            self._parts[competition] = Pool(own, self.met, self.table, checks)
        return self._parts[competition]

    @cached_property
    def _parts(self) -> dict[int, Pool]:
        return {}

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
        own = set(self.competitions[rows].tolist())
        if len(rows) < IN_A_ROW or len(own) > 1:
            return np.zeros(len(self.prompts), np.bool_)
        return np.asarray(self.competitions == own.pop(), np.bool_)

    @cached_property
    def terms(self) -> Floats:
        """[K, K] symmetric: the chance of each pair of models, spread evenly over the prompts they share."""
        spread = self.chances / np.maximum(self.shared, 1)
        return np.asarray(spread + spread.T, np.float64)

    @cached_property
    def masses(self) -> Floats:
        """[prompts] the sum of the terms of a prompt's pairs: the chance of the prompt for a new voter."""
        return mass(self.entries >= 0, self.terms)

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


def mass(free: Bools, terms: Floats) -> Floats:
    """[rows] the sum of the terms of all pairs of a row's models. free: [rows, K].

    In portions that BLAS does not spread over threads: these wait for each other while others use the cores.
    """
    there = free.astype(np.float64)
    rows = max(1, 200_000 // terms.size)
    if len(there) <= rows:
        return np.asarray(np.maximum(((there @ terms) * there).sum(1) / 2, 0), np.float64)
    return np.concatenate([mass(free[start : start + rows], terms) for start in range(0, len(free), rows)])
