"""Intervals of shares. Pure."""

from __future__ import annotations

from math import sqrt

from leaderboard.rating.elo import Z95


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0 to 1, of `n` votes (Wilson 1927); 0 to 1 without votes."""
    if not n:
        return 0.0, 1.0
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    reach = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return centre - reach, centre + reach
