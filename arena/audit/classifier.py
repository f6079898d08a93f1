"""Naming the model by what is not picture content: a classifier, and an honest count of how often it is right.

Pure: numpy and values in, counts out.

In a battle between models a and b, given that it is these two, which image is whose? A naive Bayes classifier compares
the two ways round: how often each feature's value came with each model in battles about *other* prompts. It learns
prompt by prompt and always guesses before the answer: a guess about a prompt uses the prompts before it. It keeps
silent when it has little to go on (SURE), which costs nothing, because swapping the two images turns its answer round
and leaves its certainty as it is.

Why the count is exactly binomial when nothing betrays a model. Then, within a prompt, the features of its images could
be swapped between models without changing anything's probability; a swap in one pair flips that guess from right to
wrong; pairs that share no image can be swapped one by one. So each entry is counted once: guesses in which one of the
two images was already judged are left out. A feature that is drawn afresh for every battle (`fresh`) has no such
bounds: every battle counts, and there is no need to be sure.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

SURE = 2.0  # nats (odds of 7 to 1) by which one way round must be likelier than the other before a guess is made
# A number is judged by how far from the median of those seen so far it lies, in median distances: bins that set apart
# both a small shift of one model in many and a large one, whatever the tails.
STEPS = (-16.0, -8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
PRIOR = 1.0  # so many imagined images are added to every model's count, spread as over all models


@dataclass(frozen=True, slots=True)
class Number:
    """A measured value; what the known, innocent `given` explains of it is taken away first (a line is fitted)."""

    value: float
    given: float = 0.0


Value = str | Number
Features = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """One side of a battle: whose image, which image, and its features."""

    model: str
    image: str
    features: Features


@dataclass(frozen=True, slots=True)
class Pair:
    """A battle: two sides that answer one prompt."""

    prompt: str
    one: JudgedImage
    other: JudgedImage


@dataclass(frozen=True, slots=True)
class Guesses:
    """How often the classifier spoke, and how often it was right."""

    spoken: int
    right: int


def guess(pairs: Sequence[Pair], *, fresh: bool = False, seed: int = 0) -> Guesses:
    """Guess every pair before learning from it, prompts in random order; a model against itself is left out."""
    prompts = sorted({pair.prompt for pair in pairs})
    random.Random(seed).shuffle(prompts)  # noqa: S311 – an order, not a secret
    of_prompt: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.one.model != pair.other.model:
            of_prompt[pair.prompt].append(pair)
    known: list[JudgedImage] = []
    spoken = right = 0
    for prompt in prompts:
        table = _Table(known)
        judged: set[str] = set()
        for pair in of_prompt[prompt]:
            images = {pair.one.image, pair.other.image}
            if not fresh and judged & images:
                continue
            judged |= images
            sign = table.compare(pair, 1e-9 if fresh else SURE)
            spoken += sign != 0
            right += sign > 0
        known += _learnt(of_prompt[prompt], fresh)
    return Guesses(spoken, right)


def _learnt(pairs: Iterable[Pair], fresh: bool) -> list[JudgedImage]:
    """Each image once, unless it looks different in every battle."""
    sides = [side for pair in pairs for side in (pair.one, pair.other)]
    return sides if fresh else list({side.image: side for side in reversed(sides)}.values())


class _Table:
    """How often each value of each feature came with each model."""

    def __init__(self, known: Sequence[JudgedImage]) -> None:
        self.names = sorted({name for side in known for name in side.features})
        self.edges: dict[str, np.ndarray] = {}
        self.slopes: dict[str, float] = {}
        for name in self.names:
            self._measure(name, [side.features[name] for side in known if name in side.features])
        self.of_model: dict[str, Counter[str]] = {name: Counter() for name in self.names}
        self.of_all: dict[str, Counter[str]] = {name: Counter() for name in self.names}
        self.models: dict[str, Counter[str]] = {name: Counter() for name in self.names}
        for side in known:
            for name, value in side.features.items():
                kind = self._kind(name, value)
                self.of_model[name][f"{side.model}\0{kind}"] += 1
                self.of_all[name][kind] += 1
                self.models[name][side.model] += 1
        self.seen = {name: sum(counts.values()) for name, counts in self.of_all.items()}

    def _measure(self, name: str, values: Sequence[Value]) -> None:
        """Where the bins of a number end, and how much of it its `given` explains – without looking at models."""
        numbers = [value for value in values if isinstance(value, Number)]
        if not numbers:
            return
        given = np.array([number.given for number in numbers])
        measured = np.array([number.value for number in numbers])
        spread = given - given.mean()
        weight = float(spread @ spread)
        self.slopes[name] = float(spread @ (measured - measured.mean())) / weight if weight > 0 else 0.0
        rest = measured - self.slopes[name] * given
        middle = float(np.median(rest))
        self.edges[name] = middle + np.array(STEPS) * float(np.median(np.abs(rest - middle)))

    def _kind(self, name: str, value: Value) -> str:
        if isinstance(value, str):
            return f"={value}"
        rest = value.value - self.slopes.get(name, 0.0) * value.given
        return f"#{int(np.searchsorted(self.edges.get(name, np.empty(0)), rest, side='right'))}"

    def compare(self, pair: Pair, sure: float) -> int:
        """1 when the true way round looks likelier, −1 when the other does, 0 when it is by less than `sure` nats."""
        score = 0.0
        for name in self.names:
            if name in pair.one.features and name in pair.other.features:
                score += self._lean(name, pair.one.features[name], pair) - self._lean(
                    name, pair.other.features[name], pair
                )
        return 0 if abs(score) < sure else 1 if score > 0 else -1

    def _lean(self, name: str, value: Value, pair: Pair) -> float:
        """How much likelier the value is with the first side's model than with the other's, in nats."""
        kind = self._kind(name, value)
        return self._log_chance(name, kind, pair.one.model) - self._log_chance(name, kind, pair.other.model)

    def _log_chance(self, name: str, kind: str, model: str) -> float:
        usual = (self.of_all[name][kind] + 1) / (self.seen[name] + 1 + len(self.of_all[name]))
        return log((self.of_model[name][f"{model}\0{kind}"] + PRIOR * usual) / (self.models[name][model] + PRIOR))
