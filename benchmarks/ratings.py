"""The rating engine against its targets, one run: `python -m benchmarks.ratings` (T1–T8, T10–T12).

Needs the development environment (evalica, choix) and a PostgreSQL in DATABASE_URL, where it makes tables of its own in
a schema that it drops again; without DATABASE_URL the database targets are skipped. arena-rank joins in when it is
installed. Times are CPU seconds of this process, medians; set OPENBLAS_NUM_THREADS=1 for steady ones. `--full` goes to
5 million votes and more repetitions.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from arena import matchmaking  # noqa: E402 - the repository's root comes first
from leaderboard import elo, ranks, rerun  # noqa: E402
from leaderboard.clusters import clustered_covariance  # noqa: E402

ARENA_RANK = importlib.util.find_spec("arena_rank") is not None


@dataclass(frozen=True)
class Votes:
    """Simulated votes: uniform pairs, 10 % ties, voters drawn evenly or by Zipf's law, with tastes of their own."""

    k: int
    voter: Any
    left: Any
    right: Any
    score: Any
    truth: Any

    @property
    def cells(self) -> elo.Cells:
        key = (self.left.astype(np.int64) * self.k + self.right) * 3 + (2 * self.score).astype(np.int64)
        n = np.bincount(key, minlength=3 * self.k**2)
        at = np.flatnonzero(n)
        names = tuple(f"m{index:03}" for index in range(self.k))
        return elo.Cells(names, at // 3 // self.k, at // 3 % self.k, at % 3 / 2, n[at])


def simulate(
    k: int, count: int, seed: int = 0, voters: int = 50_000, zipf: float = 0.0, taste: float = 0.0, spread: float = 0.7
) -> Votes:
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, spread, k)
    strength -= strength.mean()
    share = 1 / np.arange(1, voters + 1) ** zipf
    voter = rng.choice(voters, count, p=share / share.sum()).astype(np.int32)
    left = rng.integers(0, k, count).astype(np.int16)
    right = ((left + rng.integers(1, k, count)) % k).astype(np.int16)
    difference = strength[right] - strength[left]
    if taste:
        tastes = rng.normal(0, taste, (voters, k))
        difference = difference + tastes[voter, right] - tastes[voter, left]
    score = np.where(rng.random(count) < 0.1, 0.5, rng.random(count) < 1 / (1 + np.exp(difference)))
    return Votes(k, voter, left, right, score.astype(np.float32), strength)


def cpu(action: Callable[[], Any], repeat: int = 5) -> float:
    """Median CPU seconds."""
    times = []
    for _ in range(repeat):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return statistics.median(times)


def line(target: str, promise: str, figure: str, ok: bool | None) -> None:
    mark = {True: "✓", False: "✗", None: "–"}[ok]
    print(f"{mark} {target:<4} {promise:<82} {figure}", flush=True)


def refresh(cells: elo.Cells) -> None:
    fit = elo.fit(cells)
    ranks.ranks(fit.lower, fit.upper)


def evalica_scores(cells: elo.Cells) -> Any:
    import evalica

    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    names = cells.models
    result = evalica.bradley_terry(
        [names[i] for i in cells.left],
        [names[i] for i in cells.right],
        [winner[score] for score in cells.score],
        weights=cells.n.tolist(),
        tolerance=1e-12,
        limit=10_000,
    )
    x = np.array([math.log(result.scores[name]) for name in names])
    return 1000 + elo.SCALE * (x - x.mean())


def speed(full: bool) -> None:
    sizes = (100_000, 1_000_000, 5_000_000) if full else (100_000, 1_000_000)
    took: dict[int, float] = {}
    for k in (50, 200):
        for count in sizes:
            votes = simulate(k, count)
            cells = votes.cells
            took[count] = cpu(lambda cells=cells: refresh(cells), 9)  # type: ignore[misc]
            whole = cpu(lambda votes=votes: refresh(votes.cells), 5)  # type: ignore[misc]
            line("T1", f"refresh from cells, K={k}, {count:,} votes", f"{1000 * took[count]:.1f} ms", None)
            promise, ok, figure = "from raw arrays, ≥ 3x evalica (int codes, no CI) at 1M, K=200", None, ""
            if count == 1_000_000:
                reference = evalica_from_votes(votes)
                ok = reference / whole >= 3 if k == 200 else None
                figure = f"evalica {1000 * reference:.0f} ms, {reference / whole:.1f}x; "
            line("T2", promise, f"K={k}, {count:,}: {figure}{1000 * whole:.1f} ms", ok)
        ratio = took[sizes[-1]] / took[sizes[0]]
        line("T1", f"K={k}: time at {sizes[-1]:,} votes ≤ 1.5 × time at {sizes[0]:,}", f"{ratio:.2f}x", ratio <= 1.5)
    line("T1", "≥ 100x arena-rank at 1M votes, K=200", "arena-rank is not installed: skipped", None)


def evalica_from_votes(votes: Votes) -> float:
    import evalica

    names = [f"m{index:03}" for index in range(votes.k)]
    index = {name: place for place, name in enumerate(names)}
    xs, ys = votes.left.tolist(), votes.right.tolist()
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[int(2 * score)] for score in votes.score]
    import pandas as pd

    codes = pd.Index(range(votes.k))
    del index
    return cpu(lambda: evalica.bradley_terry(xs, ys, winners, index=codes), 3)


def agreement() -> None:
    import choix

    worst = {"evalica": 0.0, "choix": 0.0}
    boards_ = []
    for path in sorted((ROOT / "arena" / "demo" / "votes").glob("*.csv")):
        rows = [text.split(",") for text in path.read_text().splitlines()[1:]]
        boards_.append(elo.Cells.from_rows((row[-3], row[-2], row[-1], 1) for row in rows))
    for cells in (*boards_, simulate(50, 20_000).cells):
        ours = elo.fit(cells).elo
        worst["evalica"] = max(worst["evalica"], float(np.abs(ours - evalica_scores(cells)).max()))
        k = len(cells.models)
        wins = np.zeros((k, k))
        np.add.at(wins, (cells.left, cells.right), cells.n * cells.score)
        np.add.at(wins, (cells.right, cells.left), cells.n * (1 - cells.score))
        x = choix.ilsr_pairwise_dense(wins, alpha=0, max_iter=10_000, tol=1e-9)
        worst["choix"] = max(worst["choix"], float(np.abs(ours - 1000 - elo.SCALE * (x - x.mean())).max()))
    for name, figure in worst.items():
        line(
            "T3",
            f"largest difference to {name}, 3 real boards and 1 simulated, ≤ 1e-4 Elo",
            f"{figure:.1e}",
            figure <= 1e-4,
        )
    line("T3", "to arena-rank ≤ 0.1 Elo", "arena-rank is not installed: skipped", None)
    cells = boards_[-1]
    rng, total = np.random.default_rng(7), int(cells.n.sum())
    start = dict(zip(cells.models, elo.fit(cells).elo.tolist(), strict=True))
    again = [elo.fit(replace(cells, n=n), start=start).elo for n in rng.multinomial(total, cells.n / total, 10_000)]
    ratio = np.std(again, axis=0) / elo.fit(cells).se
    line(
        "T4",
        "bootstrap of cells (B = 10,000) over sandwich, for every model within [0.97, 1.03]",
        f"{ratio.min():.3f} … {ratio.max():.3f}",
        bool(0.97 <= ratio.min() and ratio.max() <= 1.03),
    )


def coverage(runs: int) -> None:
    plain, clustered, taste_plain = [], [], []
    for seed in range(runs):
        even = simulate(20, 20_000, seed, voters=500, spread=0.5)
        fit = elo.fit(even.cells)
        plain.append(np.abs(fit.elo - population_truth(even.truth, 0)) <= elo.Z95 * fit.se)
        few = simulate(20, 20_000, seed, voters=500, zipf=1, taste=0.5, spread=0.5)
        order = np.argsort(few.voter, kind="stable")  # the cap: the first 200 of each voter
        starts = np.searchsorted(few.voter[order], np.arange(500))
        kept = order[np.arange(order.size) - starts[few.voter[order]] < 200]
        capped = Votes(20, few.voter[kept], few.left[kept], few.right[kept], few.score[kept], few.truth)
        truth = population_truth(few.truth, 0.5)
        for votes, bucket in ((few, taste_plain), (capped, clustered)):
            fit = elo.fit(votes.cells)
            se = fit.se
            if bucket is clustered:
                c = clustered_covariance(fit, votes.voter, votes.left, votes.right, votes.score, "CR3")
                se = np.sqrt(np.diag(c))
            bucket.append(np.abs(fit.elo - truth) <= elo.Z95 * se)
    share = {
        name: 100 * float(np.mean(rows))
        for name, rows in (("even", plain), ("capped", clustered), ("plain", taste_plain))
    }
    line(
        "T5",
        f"95 % intervals of independent votes cover 94–96.5 % ({runs} runs)",
        f"{share['even']:.1f} %",
        94 <= share["even"] <= 96.5,
    )
    line(
        "T5",
        "heavy voters with tastes: capped at 200 and clustered (CR3) ≥ 93.5 %",
        f"{share['capped']:.1f} %",
        share["capped"] >= 93.5,
    )
    line("T5", "… where the plain sandwich without cap covers ≤ 75 %", f"{share['plain']:.1f} %", share["plain"] <= 75)


def population_truth(strength: Any, taste: float) -> Any:
    """Ratings of the whole population: tastes average the chances, not the strengths, so fit the average chances."""
    rng = np.random.default_rng(123)
    sample = rng.normal(0, taste * math.sqrt(2), 20_000 if taste else 1)
    k = strength.size
    rows = []
    for i in range(k):
        for j in range(k):
            if i != j:
                p = 0.05 + 0.9 * float((1 / (1 + np.exp(strength[j] - strength[i] + sample))).mean())
                rows += [(f"{i:03}", f"{j:03}", "left", p), (f"{i:03}", f"{j:03}", "right", 1 - p)]
    return elo.fit(elo.Cells.from_rows(rows)).elo


def clusters(full: bool) -> None:
    count = 5_000_000 if full else 1_000_000
    votes = simulate(200, count)
    fit = elo.fit(votes.cells)
    for kind in ("CR1", "CR3"):
        took = cpu(
            lambda kind=kind: clustered_covariance(fit, votes.voter, votes.left, votes.right, votes.score, kind), 3
        )  # type: ignore[misc]
        line(
            "T6",
            f"{kind} at {count:,} votes of 50,000 voters, K=200 (arena-rank's plain run: 3.5 s at 1M)",
            f"{took:.2f} s",
            None,
        )


def sampler(runs: int) -> None:
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
            worth = matchmaking.scores((fit.elo - 1000) / elo.SCALE, fit.covariance / elo.SCALE**2, provisional)
            even = np.triu(np.ones((k, k)), 1) / p.size
            table = np.triu(worth, 1)
            table /= table.sum()
            pairs = 0.9 * (matchmaking.capped(table, even) if name == "ours" else table) + 0.1 * even
            chance = pairs[upper]
        drawn = rng.multinomial(50, chance / chance.sum())
        wins = rng.binomial(drawn, p)
        won, lost = won + wins, lost + drawn - wins
        cast += 50
    return cast


def reproducible() -> None:
    cells = simulate(50, 200_000).cells
    rows = [
        (cells.models[i], cells.models[j], {1.0: "left", 0.0: "right", 0.5: "tie"}[s], int(n))
        for i, j, s, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True)
    ]
    text = rerun.cells_csv(rows)
    shuffled = [rows[index] for index in np.random.default_rng(1).permutation(len(rows))]
    here = rerun.rate(rows)
    done = subprocess.run(
        [sys.executable, "-m", "leaderboard.rerun", "/dev/stdin"],
        input=rerun.cells_csv(shuffled),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    again = json.loads(done.stdout)
    ok = again["sha256"] == rerun.digest(text) and again["ratings"] == here
    swapped = [(b, a, {"left": "right", "right": "left", "tie": "tie"}[o], n) for a, b, o, n in shuffled]
    sides = [row["elo"] for row in rerun.rate(swapped)] == [row["elo"] for row in here]
    line(
        "T11",
        "clean process, shuffled cells: same sha256 and digits; sides swapped: same digits",
        f"{ok}, {sides}",
        ok and sides,
    )


def memory(count: int) -> None:
    """Peak memory of a process that rates from arrays, and of one that only holds them."""
    code = (
        "import sys; sys.path.insert(0, '.'); import numpy as np; from benchmarks.ratings import simulate, refresh;"
        "from leaderboard import boards, elo;"
        f"rng = np.random.default_rng(1); n = {count}; k = 200;"
        "left = rng.integers(0, k, n, np.int16); right = (left + rng.integers(1, k, n, np.int16)) % k;"
        "score = rng.integers(0, 3, n, np.int8);"
        "key = left.astype(np.int32) * k; key += right; key *= 3; key += score; cells = np.bincount(key, minlength=3 * k * k); del key;"
        "at = np.flatnonzero(cells);"
        "refresh(elo.Cells(tuple(f'{i:03}' for i in range(k)), at // 3 // k, at // 3 % k, at % 3 / 2, cells[at]));"
        "print(next(int(row.split()[1]) for row in open('/proc/self/status') if row.startswith('VmHWM')) / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    peak = float(done.stdout)
    line("T12", f"quick path, K=200, {count:,} votes: peak memory ≤ 150 MB", f"{peak:.0f} MB", peak <= 150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="5 million votes, more runs")
    full = parser.parse_args().full
    print(
        f"Python {sys.version.split()[0]}, {rerun.ENGINE_VERSION}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    speed(full)
    agreement()
    coverage(200 if full else 60)
    clusters(full)
    if os.environ.get("DATABASE_URL"):
        from benchmarks import ratings_database

        ratings_database.run(full, line)
    else:
        line("T7", "votes and tallies in PostgreSQL (T7, T8)", "no DATABASE_URL: skipped", None)
    sampler(10 if full else 3)
    reproducible()
    memory(5_000_000)
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
