"""Whether one model is the same through two providers: blind votes between its two images of one prompt.

The share of the points that the first provider's images get, a tie being half, with voters and prompts as clusters. A
third answer stands beside “same” and “differs”: that the votes cannot say. Numpy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leaderboard.rating.likelihood import Codes, Numbers
from leaderboard.rating.student import LARGE_DF, t95

MIN_VOTES = 30  # fewer say nothing
MARGIN = 0.07  # a share within so much of a half, surely, is the same model: 49 Elo
Answer = Literal["same", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Parity:
    """share of the points for the first of the two; half_width of its 95 % interval, infinite where unknown."""

    share: float
    half_width: float
    votes: int

    @property
    def answer(self) -> Answer:
        """“differs” if the interval is off one half, “same” if it lies within MARGIN of it, else “unknown”."""
        if self.votes < MIN_VOTES or not math.isfinite(self.half_width):
            return "unknown"
        distance = abs(self.share - 0.5)
        if distance > self.half_width:
            return "differs"
        return "same" if distance + self.half_width <= MARGIN else "unknown"

    @property
    def lower(self) -> float:
        return max(0.0, self.share - self.half_width)

    @property
    def upper(self) -> float:
        return min(1.0, self.share + self.half_width)


def compare(score: Numbers, voter: Codes, prompt: Codes) -> Parity:
    """One array entry a vote: what the first one's image scored, 1, ½ or 0, who voted, and on which prompt."""
    n = int(score.size)
    if n < 2:
        return Parity(float(score.mean()) if n else 0.5, math.inf, n)
    share = float(score.mean())
    residual = np.asarray(score, np.float64) - share
    plain = float(residual @ residual) / n**2
    ways, groups = [], []
    for cluster in (voter, prompt):
        sums = np.bincount(np.unique(cluster, return_inverse=True)[1], residual)
        if sums.size > 1:
            ways.append(float(sums @ sums) / n**2 * sums.size / (sums.size - 1))
            groups.append(sums.size)
    variance = max(*ways, sum(ways) - plain) if len(ways) == 2 else ways[0] if ways else plain
    # Where all agree, as much as one vote more for the other side would bring.
    variance = max(variance, 0.25 / n**2)
    return Parity(share, t95(min(groups, default=LARGE_DF) - 1) * math.sqrt(variance), n)
