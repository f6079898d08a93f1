"""T10: how soon new models settle, by how pairs are drawn."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np

from arena.matchmaking import battle_shares, vote_worth
from leaderboard.rating import elo

Line = Callable[[str, str, str, "bool | None"], None]


def run(runs: int, line: Line) -> None:
    """Votes until the widest of three new models' intervals is at most ±20 Elo, joining twenty that are settled."""
    needed: dict[str, list[int]] = {"uniform": [], "boost": [], "ours": [], "uncapped": []}
    for seed in range(runs):
        for name, bucket in needed.items():
            bucket.append(_until_settled(name, seed))
    ours, uniform, boost, uncapped = (
        statistics.mean(needed[name]) for name in ("ours", "uniform", "boost", "uncapped")
    )
    line(
        "T10",
        "the sampler without its cap per model, over uniform",
        f"{100 * uncapped / uniform:.0f} % ({uncapped:,.0f})",
        uncapped <= 0.4 * uniform,
    )
    line(
        "T10",
        f"new models settle with ≤ 40 % of uniform's votes ({runs} runs)",
        f"{100 * ours / uniform:.0f} % ({ours:,.0f} / {uniform:,.0f})",
        ours <= 0.4 * uniform,
    )
    line(
        "T10",
        "… and ≤ 90 % of those that five times the weight for new models takes",
        f"{100 * ours / boost:.0f} % (of {boost:,.0f})",
        ours <= 0.9 * boost,
    )


def _until_settled(name: str, seed: int, old: int = 20, new: int = 3) -> int:
    rng = np.random.default_rng(seed)
    k = old + new
    strength = rng.normal(0, 0.6, k)
    upper = np.triu_indices(k, 1)
    p = 1 / (1 + np.exp(strength[upper[1]] - strength[upper[0]]))
    is_new = (upper[0] >= old) | (upper[1] >= old)
    won = np.where(is_new, 0, rng.binomial(160, p))
    lost = np.where(is_new, 0, 160 - won)
    cast = 0
    names = tuple(f"{index:03}" for index in range(k))
    while cast < 40_000:
        cells = elo.Cells(
            names,
            np.tile(upper[0], 2),
            np.tile(upper[1], 2),
            np.repeat([1.0, 0.0], p.size),
            np.concatenate([won, lost]),
        )
        fit = elo.fit(cells)
        half = elo.Z95 * fit.se[old:]
        if half.max() <= 20:
            return cast
        provisional = np.zeros(k, np.bool_)
        provisional[old:] = True
        if name == "uniform":
            chance = np.full(p.size, 1 / p.size)
        elif name == "boost":
            chance = np.where(is_new, 5.0, 1.0)
            chance /= chance.sum()
        else:
            worth = vote_worth.scores((fit.elo - 1000) / elo.SCALE, fit.covariance / elo.SCALE**2, provisional)
            even = np.triu(np.ones((k, k)), 1) / p.size
            table = np.triu(worth, 1)
            table /= table.sum()
            pairs = 0.9 * (battle_shares.capped(table, even) if name == "ours" else table) + 0.1 * even
            chance = pairs[upper]
        drawn = rng.multinomial(50, chance / chance.sum())
        wins = rng.binomial(drawn, p)
        won, lost = won + wins, lost + drawn - wins
        cast += 50
    return cast
