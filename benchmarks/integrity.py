"""Whom the watch catches, and whom it accuses wrongly: `python -m benchmarks.integrity --voters 300`.

Simulated voters differ in tastes (sd of `--taste`, nats per model), ability (log-sd 0.4), habits of side (sd 0.3 nats)
and ties (Beta(1.2, 6.8)); the board they are judged by is made of such people's votes, with its sampling error. Beside
our evidence, on the same votes, stands the outlier test of FastChat's `monitor/elo_analysis.py` (up to 100 votes of a
judge with 5 or more, alpha .05), re-implemented from its rule: the product of 1 / (2p) over votes, where p is the share
of all decided votes on the pair that are at most (at least) the judge's, passes 1 / alpha.

What one voter who is not caught moves: `--harm`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy
import argparse
import math
import time
from typing import Any

import numpy as np

from arena import vote_cap
from arena.integrity import evidence
from benchmarks.kinds_of_voters import (
    HONEST,
    PEOPLE_CAST,
    RIGGERS,
    UNLIKE_ANYBODY,
    Board,
    Kind,
    Votes,
    board,
    for_target,
    honest,
    pairs,
    person,
)
from leaderboard.rating import elo

SKIPS_IN_ROW = 10  # the site's setting, as shipped
STEPS = (50, 100, 200)


def caught_at(votes: Votes, made: Board) -> int | None:
    """After how many votes the voter would be excluded; None: never."""
    seen = evidence.weigh(evidence.Answers(*votes), made.reference)
    over = np.flatnonzero(seen.path >= evidence.QUARANTINE)
    return int(over[0]) + 1 if over.size else None


def fastchat_catches(votes: Votes, wins: Any, limit: int = 100, alpha: float = 0.05) -> bool:
    """FastChat's outlier test. A pair that nobody decided says nothing."""
    left, right, y = (column[:limit] for column in votes)
    low, high = np.minimum(left, right), np.maximum(left, right)
    vote = np.where(y == 0, 0.5, ((y > 0) == (left == low)).astype(float))
    won, lost = wins[low, high], wins[high, low]
    n = won + lost
    known = n > 0
    at_most = np.where(vote >= 1, n, lost)[known] / n[known]  # outcomes are 1 and 0: those at most the vote's
    at_least = np.where(vote <= 0, n, won)[known] / n[known]
    passed = False
    for p in (at_most, at_least):
        with np.errstate(divide="ignore"):
            passed |= bool((np.cumsum(-np.log(2 * p)) > math.log(1 / alpha)).any())
    return passed


def measure(kinds: dict[str, Kind], k: int, votes: int, taste: float, count: int, n: int, seed: int) -> dict[str, Any]:
    """Per kind of voter: the vote numbers at which they were caught, and how many FastChat's test names."""
    rng = np.random.default_rng([seed, k, votes, int(10 * taste)])
    result: dict[str, Any] = {name: ([], 0) for name in kinds}
    made = board(rng, k, votes)
    for index in range(count):
        if index % 10 == 9:
            made = board(rng, k, votes)
        for name, kind in kinds.items():
            cast = kind(rng, made, n, taste)
            at, others = result[name]
            at.append(caught_at(cast, made))
            result[name] = (at, others + fastchat_catches(cast, made.wins))
    return result


def line(name: str, at: list[int | None], by_fastchat: int) -> str:
    shares = [100 * sum(1 for n in at if n is not None and n <= step) / len(at) for step in STEPS]
    numbers = [n if n is not None else 10**9 for n in at]
    median = float(np.median(numbers))
    when = f"{median:.0f}" if median < 10**9 else "–"
    return (
        f"{name:<26}" + "".join(f"{share:8.1f}" for share in shares) + f"{when:>8}{100 * by_fastchat / len(at):11.1f}"
    )


def selecting(k: int, count: int, seed: int) -> dict[str, list[int | None]]:
    """Skips and ballots: after how many pairs each kind is caught."""
    rng = np.random.default_rng([seed, k, 9])
    share = np.full(k, 2 / k)
    result: dict[str, list[int | None]] = {}
    for name, rates in (("skips until the target", (1.0, 0.0)), ("skips half of the others", (0.5, 0.0)),
                        ("honest: skips 1 in 8", (0.125, 0.125)), ("honest: skips ugly models", (0.1, 0.3))):  # fmt: skip
        for _ in range(count):
            answered, skipped, at = np.zeros(k, np.int64), np.zeros(k, np.int64), None
            a = s = 0
            for pair in range(250):
                one, other = (int(side[0]) for side in pairs(rng, k, 1))
                ugly = k // 2 in (one, other)
                if rng.random() < rates[int(ugly)]:
                    skipped[[one, other]] += 1
                    s += 1
                else:
                    answered[[one, other]] += 1
                    a += 1
                if evidence.skipping(answered, skipped, a, s) >= evidence.QUARANTINE:
                    at = pair + 1
                    break
            result.setdefault(name, []).append(at)
    for name, chance in (("ballots with the target", 1.0), ("every second such ballot", 0.5), ("honest ballots", 0.0)):
        for _ in range(count):
            left, right = pairs(rng, k, 100)
            chosen = rng.random(100) < chance
            left = np.where(chosen, k // 2, left)
            right = np.where(right == left, (right + 1) % k, right)
            contains = (np.arange(k)[:, None] == left) | (np.arange(k)[:, None] == right)
            over = np.flatnonzero(evidence.selection(contains, share) >= evidence.QUARANTINE)
            result.setdefault(name, []).append(int(over[0]) + 1 if over.size else None)
    return result


def chooses(rng: Any, made: Board, n: int, push: float, skips: float) -> tuple[Votes, bool]:
    """A voter who skips a share of the pairs without the target, as far as the site lets anybody skip, pushes the target
    on a share of its pairs and is honest on all others; and whether those skips would be caught."""
    k, target = made.models, made.models // 2
    own = person(rng, made.strength, 0.5)
    answered: list[tuple[int, int, int]] = []
    counts, totals, in_row, caught = np.zeros((2, k), np.int64), [0, 0], 0, False
    while len(answered) < n:
        left, right = pairs(rng, k, 1)
        has = target in (left[0], right[0])
        may_skip = in_row < SKIPS_IN_ROW and totals[1] < SKIPS_IN_ROW + totals[0] / 2
        is_skipped = may_skip and not has and rng.random() < skips
        counts[int(is_skipped), [left[0], right[0]]] += 1
        totals[int(is_skipped)] += 1
        in_row = in_row + 1 if is_skipped else 0
        caught |= evidence.skipping(counts[0], counts[1], *totals) >= evidence.QUARANTINE
        if not is_skipped:
            y = for_target(left, right, target) if has and rng.random() < push else honest(rng, own, left, right)
            answered.append((int(left[0]), int(right[0]), int(y[0])))
    left, right, y = (np.array(column) for column in zip(*answered, strict=True))
    return (left, right, y), caught


def cap_of(k: int, per_model: int) -> int:
    """Votes of one voter that count on a board of so many votes a model, by people of `PEOPLE_CAST` votes."""
    votes = per_model * k // 2
    return vote_cap.cap(votes, votes // PEOPLE_CAST)


def harm_of_choice(k: int, per_model: int, count: int, seed: int) -> dict[str, tuple[float, int]]:
    """As `harm`, of voters who push a share of the target's pairs, and may choose pairs by skipping: what those move who
    are not caught, on average, and how many that are."""
    target, moved, votes = k // 2, dict[str, tuple[float, int]](), cap_of(k, per_model)
    for push, skips in ((1.0, 1.0), (1.0, 0.2), (0.7, 0.2), (0.7, 0.1), (0.5, 0.1), (0.8, 0.0), (0.7, 0.0)):
        rng, free = np.random.default_rng([seed, k, 6]), list[float]()
        for _ in range(count):
            made = board(rng, k, per_model * k // 2)
            (left, right, y), is_caught = chooses(rng, made, votes, push, skips)
            if not is_caught and caught_at((left, right, y), made) is None:
                wins = made.wins.copy()
                np.add.at(wins, (np.where(y > 0, left, right)[y != 0], np.where(y > 0, right, left)[y != 0]), 1)
                free.append(abs(float(fit(wins)[target] - fit(made.wins)[target])))
        name = f"pushes {push:.0%} of its pairs, skips {skips:.0%} of the others"
        moved[name] = (float(np.mean(free)) if free else 0.0, len(free))
    return moved


def harm(k: int, per_model: int, count: int, seed: int) -> dict[str, float]:
    """By how many Elo one voter of a kind moves a model on a board of so many votes a model, as far as they count: all
    within the cap of who is not caught, none of who is. The mean over voters."""
    rng = np.random.default_rng([seed, k, 5])
    target, votes = k // 2, cap_of(k, per_model)
    moved = dict.fromkeys(RIGGERS, 0.0)
    for _ in range(count):
        made = board(rng, k, per_model * k // 2)
        before = fit(made.wins)
        for name, kind in RIGGERS.items():
            left, right, y = kind(rng, made, votes, 0.5)
            if caught_at((left, right, y), made) is None:
                wins = made.wins.copy()
                np.add.at(wins, (np.where(y > 0, left, right)[y != 0], np.where(y > 0, right, left)[y != 0]), 1)
                moved[name] += abs(float(fit(wins)[target] - before[target])) / count
    return moved


def fit(wins: Any) -> Any:
    one, other = np.nonzero(wins)
    names = tuple(f"m{index:03}" for index in range(len(wins)))
    return elo.fit(elo.Cells(names, one, other, np.ones(one.size), wins[one, other])).elo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voters", type=int, default=100, help="riggers of each kind; ten times as many honest ones")
    parser.add_argument("--models", type=int, nargs="+", default=[8, 30])
    parser.add_argument("--board", type=int, nargs="+", default=[12_000], help="votes on the board")
    parser.add_argument("--taste", type=float, nargs="+", default=[0.3, 0.5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--harm", action="store_true", help="also: what a voter who is not caught moves")
    options = parser.parse_args()
    started = time.perf_counter()
    for k in options.models:
        for votes in options.board:
            print(
                f"\nK = {k}, board of {votes} votes: % caught within {', '.join(map(str, STEPS))} votes, median, FastChat %"
            )
            for taste in options.taste:
                measured = measure(HONEST | UNLIKE_ANYBODY, k, votes, taste, 10 * options.voters, 200, options.seed)
                for name, row in measured.items():
                    print(line(f"{name} (taste {taste})", *row), flush=True)
            for name, row in measure(RIGGERS, k, votes, 0.5, options.voters, 200, options.seed).items():
                print(line(name, *row), flush=True)
        for name, at in selecting(k, options.voters, options.seed).items():
            hit = [n for n in at if n is not None]
            print(f"{name:<26}{100 * len(hit) / len(at):8.1f} %, median {np.median(hit) if hit else 0:.0f}", flush=True)
        if options.harm:
            count = max(5, options.voters // 10)
            for name, moved in harm(k, 3_000, count, options.seed).items():
                print(f"moves, uncaught, 3,000 votes a model: {name:<26}{moved:6.2f} Elo", flush=True)
            for name, (elo_moved, free) in harm_of_choice(k, 3_000, count, options.seed).items():
                print(f"moves, {name}: {elo_moved:6.2f} Elo, uncaught {free} of {count}", flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
