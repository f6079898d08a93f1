"""Student's t: with few voters or prompts the normal distribution promises too much."""

from __future__ import annotations

import math

from leaderboard.rating.elo import Z95

LARGE_DF = 1_000_000  # degrees of freedom at which Student's t is the normal


def degrees(*effective: float | None) -> int:
    """Degrees of freedom of a covariance with so many effective clusters of each kind: the least number, less one.

    None: unknown, and 1: a single cluster, which says nothing of others. Both are left out of the covariance, too.
    """
    return min((max(1, round(n) - 1) for n in effective if n is not None and n > 1), default=LARGE_DF)


def t95(df: int) -> float:
    """97.5 % point of Student's t: with few clusters 1.96 standard errors cover too little. df ≥ 1.

    The exact distribution for whole df is a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4), inverted by bisection.
    """
    if df > 200:
        return Z95 + (Z95**3 + Z95) / (4 * df)  # A & S 26.7.5; the next term is below 1e-4
    low, high = Z95, 13.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < 0.95 else (low, middle)
    return low


def _within(t: float, df: int) -> float:
    """P(|T| ≤ t) for Student's t."""
    angle = math.atan(t / math.sqrt(df))
    cosine = math.cos(angle)
    term = total = cosine if df % 2 else 1.0
    for n in range(3 if df % 2 else 2, df - 1, 2):
        term *= cosine**2 * (n - 1) / n
        total += term
    if df == 1:
        return 2 * angle / math.pi
    return 2 / math.pi * (angle + math.sin(angle) * total) if df % 2 else math.sin(angle) * total
