"""Better than chance? Exact tests, and a bound on false alarms over all of them together.

Pure. Holm's procedure (Holm 1979) rejects with a family-wise error of at most alpha, however the tests depend on each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

ALPHA = 0.001  # a blind site fails at most one audit in a thousand


def tail(right: int, spoken: int) -> float:
    """The chance of at least `right` of `spoken` right guesses when each is a coin toss."""
    return float(sum(comb(spoken, k) for k in range(right, spoken + 1)) / 2**spoken)


def holm(p_values: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Which of the tests are rejected, the error over all of them being at most alpha."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = [False] * len(p_values)
    for rank, i in enumerate(order):
        if p_values[i] > alpha / (len(p_values) - rank):
            break
        rejected[i] = True
    return rejected


def limit(spoken: int, tests: int, alpha: float = ALPHA) -> int | None:
    """The fewest right guesses of `spoken` that would fail the strictest of `tests`; None when even all would not."""
    return next((right for right in range(spoken + 1) if tail(right, spoken) <= alpha / tests), None)
