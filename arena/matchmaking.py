"""Which two images a voter meets next. Pure: a pool of entries and what was seen → a pair and its probability.

Pairs of models that have met less are drawn more often; a tenth of all draws is uniform over the pairs that are left,
so that every pair keeps a known chance of being asked and no feedback loop can starve it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from random import Random

UNIFORM_SHARE = 0.1

Pair = frozenset[int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be drawn, by the ids of the entry, its prompt and its model."""

    entry: int
    prompt: int
    model: int


@dataclass(frozen=True)
class Pool:
    """Everything that can be asked in a category: its entries, and how often each pair of models has met so far."""

    candidates: tuple[Candidate, ...]
    met: Mapping[Pair, int]

    @cached_property
    def by_prompt(self) -> dict[int, dict[int, int]]:
        """prompt → {model: entry}."""
        prompts: dict[int, dict[int, int]] = {}
        for candidate in self.candidates:
            prompts.setdefault(candidate.prompt, {})[candidate.model] = candidate.entry
        return prompts

    @cached_property
    def prompts_of(self) -> dict[Pair, tuple[int, ...]]:
        """Pair of models → the prompts that both have answered."""
        shared: dict[Pair, list[int]] = {}
        for prompt, entries in self.by_prompt.items():
            for one, other in combinations(sorted(entries), 2):
                shared.setdefault(frozenset((one, other)), []).append(prompt)
        return {pair: tuple(prompts) for pair, prompts in shared.items()}

    @cached_property
    def model_of(self) -> dict[int, int]:
        return {candidate.entry: candidate.model for candidate in self.candidates}

    @property
    def size(self) -> int:
        """How many different battles the pool holds."""
        return sum(len(prompts) for prompts in self.prompts_of.values())


@dataclass(frozen=True, slots=True)
class Draw:
    """Two entries of one prompt in the order they are shown; `probability` is that of drawing this unordered pair."""

    prompt: int
    left: int
    right: int
    probability: float


def draw(pool: Pool, seen: Set[Pair], random: Random) -> Draw | None:
    """Draw a battle that is not in `seen` (pairs of entries); None when the voter has seen them all.

    First a pair of models by `weights`, then one of its unseen prompts uniformly, then the sides by a fair coin.
    """
    seen_per_pair = Counter(
        frozenset((pool.model_of[one], pool.model_of[other]))
        for one, other in (tuple(pair) for pair in seen)
        if one in pool.model_of and other in pool.model_of
    )
    open_pairs = [pair for pair, prompts in pool.prompts_of.items() if len(prompts) > seen_per_pair[pair]]
    if not open_pairs:
        return None
    chances = weights([pool.met.get(pair, 0) for pair in open_pairs])
    index = random.choices(range(len(open_pairs)), chances)[0]
    pair = open_pairs[index]
    one, other = sorted(pair)
    unseen = [
        prompt
        for prompt in pool.prompts_of[pair]
        if frozenset((pool.by_prompt[prompt][one], pool.by_prompt[prompt][other])) not in seen
    ]
    prompt = random.choice(unseen)
    left, right = random.sample([pool.by_prompt[prompt][one], pool.by_prompt[prompt][other]], 2)
    return Draw(prompt, left, right, probability=chances[index] / len(unseen))


def weights(met: list[int]) -> list[float]:
    """Chances of pairs that have met so often: 1/(1 + met)², normalised, mixed with a uniform tenth. They sum to 1."""
    raw = [1.0 / (1 + count) ** 2 for count in met]
    total = sum(raw)
    return [(1 - UNIFORM_SHARE) * weight / total + UNIFORM_SHARE / len(raw) for weight in raw]
