"""The rating engine against its targets: `python -m benchmarks.ratings` (T1–T8, T10–T12), or `--only T1 T7`.

Needs the development environment (evalica, choix) and a PostgreSQL in DATABASE_URL, where it makes a database of its
own that it drops again; without DATABASE_URL those targets are skipped. arena-rank joins in when it is installed here,
or in another environment whose Python ARENA_RANK_PYTHON names. Times are CPU seconds, medians, linear algebra on one
thread. `--full` goes to 5 million votes and more repetitions; it takes a quarter of an hour, each target less than seven minutes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a second thread that spins counts as CPU time
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import newcomers  # noqa: E402 - the repository's root comes first
from benchmarks.programs import with_services  # noqa: E402 - the repository's root comes first
from benchmarks.simulated_votes import Votes, population_truth, simulate  # noqa: E402 - the repository's root comes first
from leaderboard.rating import elo, ranks, reproduction  # noqa: E402 - once Django is set up
from leaderboard.rating.clusters import clustered_covariance  # noqa: E402 - once Django is set up
from tests.leaderboard.rating.boards import choix_elo, evalica_elo  # noqa: E402 - the repository's root comes first

ARENA_RANK = os.environ.get("ARENA_RANK_PYTHON") or (importlib.util.find_spec("arena_rank") and sys.executable)


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


def refresh(cells: elo.Cells) -> elo.Fit:
    """Ratings and their intervals, which is what arena-rank's refresh gives."""
    fit = elo.fit(cells)
    assert fit.lower.size == fit.upper.size == len(cells.models)
    return fit


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
            fit = refresh(cells)
            draws = cpu(lambda fit=fit: ranks.rank_inference(fit.elo, fit.covariance), 3)  # type: ignore[misc]
            line("T1", f"… and its rank intervals, {ranks.DRAWS:,} draws", f"{1000 * draws:.0f} ms", None)
            promise, ok, figure = "from raw arrays, ≥ 3x evalica (int codes, no CI) at 1M, K=200", None, ""
            if count == 1_000_000:
                reference = evalica_from_votes(votes)
                ok = reference / whole >= 3 if k == 200 else None
                figure = f"evalica {1000 * reference:.0f} ms, {reference / whole:.1f}x; "
            line("T2", promise, f"K={k}, {count:,}: {figure}{1000 * whole:.1f} ms", ok)
            if ARENA_RANK and count >= 1_000_000:
                against_arena_rank(k, count, cells, took[count], whole)
        ratio = took[sizes[-1]] / took[sizes[0]]
        line("T1", f"K={k}: time at {sizes[-1]:,} votes ≤ 1.5 × time at {sizes[0]:,}", f"{ratio:.2f}x", ratio <= 1.5)
    if not ARENA_RANK:
        line("T1", "against arena-rank (T1–T4)", "arena-rank is not installed: skipped", None)


AT_LEAST = {(50, 1_000_000): 400, (50, 5_000_000): 3000, (200, 1_000_000): 100, (200, 5_000_000): 300}


def against_arena_rank(k: int, count: int, cells: elo.Cells, refreshed: float, whole: float) -> None:
    """CPU seconds against CPU seconds. It keeps no counts, so its refresh starts at the single votes; ours at the cells."""
    theirs = arena_rank(k, count)
    whole_of_theirs, least = theirs["read"] + theirs["fit"], AT_LEAST[k, count]
    ratio = whole_of_theirs / refreshed
    figure = f"{1000 * whole_of_theirs:,.0f} ms, {ratio:,.0f}x ({theirs['memory']:,.0f} MB)"
    line("T1", f"K={k}, {count:,}: ≥ {least:,}x arena-rank's refresh with intervals", figure, ratio >= least)
    figure = f"{1000 * theirs['fit']:,.0f} ms, {theirs['fit'] / refreshed:,.0f}x"
    line("T1", f"K={k}, {count:,}: … of which its fit alone, its pair counts given", figure, None)
    ratio = whole_of_theirs / whole
    line("T2", f"K={k}, {count:,}: from single votes ≥ 100x arena-rank", f"{ratio:,.0f}x", ratio >= 100)
    ours = elo.fit(cells)
    x = np.array(theirs["elo"])
    difference = float(np.abs(ours.elo - 1000 - (x - x.mean())).max())
    line("T3", f"K={k}, {count:,}: to arena-rank ≤ 0.1 Elo", f"{difference:.4f}", difference <= 0.1)
    se = np.array(theirs["se"]) / ours.se
    figure = f"theirs over ours {se.min():.4f} … {se.max():.4f}"
    line("T4", f"K={k}, {count:,}: errors within 2 % of arena-rank's", figure, bool((np.abs(se - 1) <= 0.02).all()))
    low, high = np.minimum(cells.left, cells.right), np.maximum(cells.left, cells.right)
    met = np.bincount(low * k + high, cells.n, k * k)[low * k + high]
    weight = 1 / np.maximum(met, 50)
    even = elo.fit(replace(cells, n=cells.n * weight, squared=cells.n * weight**2))
    se = np.array(theirs["reweighted_se"]) / even.se
    figure = f"theirs over ours {se.min():.5f} … {se.max():.5f}"
    line("T4", f"K={k}, {count:,}: reweighted, errors within 0.1 %", figure, bool((np.abs(se - 1) <= 0.001).all()))


def arena_rank(k: int, count: int) -> dict[str, Any]:
    command = [str(ARENA_RANK), "-W", "ignore", "-m", "benchmarks.arena_rank_reference", str(k), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return dict(json.loads(done.stdout))


def evalica_from_votes(votes: Votes) -> float:
    import evalica
    import pandas as pd

    xs, ys = votes.left.tolist(), votes.right.tolist()
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[int(2 * score)] for score in votes.score]
    return cpu(lambda: evalica.bradley_terry(xs, ys, winners, index=pd.Index(range(votes.k))), 3)


def agreement() -> None:
    references: dict[str, Callable[[elo.Cells], Any]] = {"evalica": evalica_elo, "choix": choix_elo}
    worst = dict.fromkeys(references, 0.0)
    boards_ = []
    for path in sorted((ROOT / "arena" / "demo" / "votes").glob("*.csv")):
        rows = [text.split(",") for text in path.read_text().splitlines()[1:]]
        boards_.append(elo.Cells.from_rows((row[-3], row[-2], row[-1], 1) for row in rows))
    for cells in (*boards_, simulate(50, 20_000).cells):
        ours = elo.fit(cells).elo
        for name, reference in references.items():
            worst[name] = max(worst[name], float(np.abs(ours - reference(cells)).max()))
    for name, figure in worst.items():
        line(
            "T3",
            f"largest difference to {name}, 3 real boards and 1 simulated, ≤ 1e-4 Elo",
            f"{figure:.1e}",
            figure <= 1e-4,
        )
    cells = boards_[-1]
    rng, total = np.random.default_rng(7), int(cells.n.sum())
    start = dict(zip(cells.models, elo.fit(cells).elo.tolist(), strict=True))
    again = [elo.fit(replace(cells, n=n), start=start).elo for n in rng.multinomial(total, cells.n / total, 10_000)]
    ratio = np.std(again, axis=0) / elo.fit(cells).se
    line(
        "T4",
        "bootstrap of cells (B = 10,000) over sandwich, for every model within [0.97, 1.03]",
        f"{ratio.min():.3f} … {ratio.max():.3f}",
        bool(ratio.min() >= 0.97 and ratio.max() <= 1.03),
    )


def coverage(runs: int) -> None:
    plain: list[Any] = []
    clustered: list[Any] = []
    taste_plain: list[Any] = []
    for seed in range(runs):
        even = simulate(20, 20_000, seed, voters=500, spread=0.5)
        fit = elo.fit(even.cells)
        plain.append(np.abs(fit.elo - population_truth(even.truth, 0)) <= elo.Z95 * fit.se)
        few = simulate(20, 20_000, seed, voters=500, zipf=1, taste=0.5, spread=0.5)
        order = np.argsort(few.voter, kind="stable")  # the cap: the first 200 of each voter
        starts = np.searchsorted(few.voter[order], np.arange(500))
        below_cap = order[np.arange(order.size) - starts[few.voter[order]] < 200]
        capped = Votes(
            20, few.voter[below_cap], few.left[below_cap], few.right[below_cap], few.score[below_cap], few.truth
        )
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


def clusters(full: bool) -> None:
    count = 5_000_000 if full else 1_000_000
    votes = simulate(200, count)
    fit = elo.fit(votes.cells)
    theirs = arena_rank(200, count) if ARENA_RANK else None
    for kind in ("CR1", "CR3"):
        took = cpu(partial(clustered_covariance, fit, votes.voter, votes.left, votes.right, votes.score, kind), 3)
        figure, ok = f"{took:.2f} s", None
        if theirs is not None:
            ratio = (theirs["read"] + theirs["fit"]) / took
            figure, ok = f"{figure}, {ratio:.0f}x", ratio >= 15 if kind == "CR1" else None
        line("T6", f"{kind}: {count:,} votes, 50,000 voters, K=200: ≥ 15x arena-rank's plain run", figure, ok)


def reproducible() -> None:
    cells = simulate(50, 200_000).cells
    rows = [
        (cells.models[i], cells.models[j], {1.0: "left", 0.0: "right", 0.5: "tie"}[s], int(n))
        for i, j, s, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True)
    ]
    text = reproduction.cells_csv(rows)
    shuffled = [rows[index] for index in np.random.default_rng(1).permutation(len(rows))]
    here = reproduction.rate(rows)
    done = subprocess.run(
        [sys.executable, "-m", "leaderboard.rating.reproduction", "/dev/stdin"],
        input=reproduction.cells_csv(shuffled),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    again = json.loads(done.stdout)
    ok = again["sha256"] == reproduction.digest(text) and again["ratings"] == here
    swapped = [(b, a, {"left": "right", "right": "left", "tie": "tie"}[o], n) for a, b, o, n in shuffled]
    sides = [row["elo"] for row in reproduction.rate(swapped)] == [row["elo"] for row in here]
    line(
        "T11",
        "clean process, shuffled cells: same sha256 and digits; sides swapped: same digits",
        f"{ok}, {sides}",
        ok and sides,
    )


def database(full: bool, targets: set[str]) -> None:
    if not os.environ.get("DATABASE_URL"):
        return line("T7", "votes and tallies in PostgreSQL (T7, T8, T12)", "no DATABASE_URL: skipped", None)
    from benchmarks import ratings_database

    return ratings_database.run(full, line, targets)


PARTS: dict[tuple[str, ...], Callable[[bool, set[str]], None]] = {
    ("T1", "T2"): lambda full, _: speed(full),
    ("T3", "T4"): lambda full, _: agreement(),
    ("T5",): lambda full, _: coverage(200 if full else 60),
    ("T6",): lambda full, _: clusters(full),
    ("T7", "T8", "T12"): database,
    ("T10",): lambda full, _: newcomers.run(10 if full else 3, line),
    ("T11",): lambda full, _: reproducible(),
}


def main() -> None:
    known = sorted({name for names in PARTS for name in names}, key=lambda name: int(name[1:]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="5 million votes, more runs")
    parser.add_argument("--only", nargs="+", choices=known, default=known, help="these targets")
    options = parser.parse_args()
    with_services()
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"Python {sys.version.split()[0]}, {reproduction.ENGINE_VERSION}, {load}")
    for names, part in PARTS.items():
        if chosen := set(names) & set(options.only):
            part(options.full, chosen)
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
