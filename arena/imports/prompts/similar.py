"""Nearly the same texts: similarity of trigrams as Postgres' pg_trgm counts it, for thousands of texts at once.

pg_trgm itself compares a text with every other that shares a common trigram: minutes for five thousand prompts in one
style. Here a text is compared only with those that share one of its rarest trigrams ("prefix filtering": Bayardo, Ma,
Srikant, Scaling Up All Pairs Similarity Search, WWW 2007). Two sets of which one has n trigrams cannot have a Jaccard
similarity of t or more unless they share one of the n − ⌈t·n⌉ + 1 rarest. It also counts letters of every script, which
pg_trgm does only where the database's locale knows them.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

EPSILON = 1e-9
_WORD = re.compile(r"[^\W_]+")


def trigrams(text: str) -> frozenset[str]:
    """Of every word, with two blanks before it and one behind, in lower case."""
    padded = [f"  {word} " for word in _WORD.findall(text.lower())]
    return frozenset(word[start : start + 3] for word in padded for start in range(len(word) - 2))


def twins(texts: Sequence[str], threshold: float, first: int = 0) -> dict[int, int]:
    """For the texts from index `first` on: index → the index of the most similar earlier text, where `threshold` (more
    than 0) is reached; of equally similar ones the earliest."""
    sets = [trigrams(text) for text in texts]
    rarity = Counter(trigram for trigrams_of in sets for trigram in trigrams_of)
    numbers = {trigram: number for number, trigram in enumerate(sorted(rarity, key=lambda t: (rarity[t], t)))}
    masks: list[int] = []  # sets as bits, the rarest trigrams lowest: their intersections are counted in one step
    sizes = list(map(len, sets))
    seen: defaultdict[int, list[int]] = defaultdict(list)
    twin: dict[int, int] = {}
    for index, mine in enumerate(sets):
        bits = sorted(numbers[trigram] for trigram in mine)
        mask, size, best = sum(1 << bit for bit in bits), sizes[index], 0.0
        prefix = bits[: size - math.ceil(threshold * size - EPSILON) + 1]
        if index >= first:
            for other in set[int]().union(*(seen[bit] for bit in prefix)):
                if threshold * size - EPSILON <= sizes[other] <= size / threshold + EPSILON:
                    shared = (mask & masks[other]).bit_count()
                    alike = shared / (size + sizes[other] - shared)
                    if alike >= threshold and (alike, -other) > (best, -twin.get(index, other)):
                        best, twin[index] = alike, other
        masks.append(mask)
        for bit in prefix:
            seen[bit].append(index)
    return twin
