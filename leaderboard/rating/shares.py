"""Shares of votes: their intervals, and whether two of them differ. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from leaderboard.rating.elo import Z95


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0 to 1, of `n` votes (Wilson 1927); 0 to 1 without votes."""
    if not n:
        return 0.0, 1.0
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    reach = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return centre - reach, centre + reach


def are_apart(one: float, n: int, other: float, m: int, *, among: int) -> bool:
    """Whether a share of n votes and one of m differ, picked as the highest and the lowest `among` so many shares.

    No pair of equal ones is called different in 95 % of cases (Bonferroni, so a little more often none).
    """
    pooled = (n * one + m * other) / (n + m)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return abs(one - other) > NormalDist().inv_cdf(1 - 0.05 / (among * (among - 1))) * error
