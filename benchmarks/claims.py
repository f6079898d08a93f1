"""How often what a board claims is true, in worlds where the truth is known: `python -m benchmarks.claims --boards 60`.

Per world of `benchmarks.worlds`: coverage of the 95 % intervals, of all and of those of usable ratings; boards whose
rank intervals are all right; boards that show a model below its true rank; leaders named with a chance of 90 % or more
that are the best; and the verdicts about first place. For comparison the coverage with voters alone as clusters.

`--separation`: of the forecasts “n more votes between two neighbours separate them in four of five cases”, how many do
once so many more votes are drawn between them, of the same voters and prompts.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy
import argparse
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np

from benchmarks import worlds
from leaderboard.rating import elo, intervals, ranks, verdict
from leaderboard.rating.clusters import Clusters


def measure(world: worlds.World, boards: int, first_seed: int = 0) -> Counter[str]:
    """Counts of what was claimed and of what of it was true."""
    count: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + boards):
        votes = worlds.draw(world, seed)
        plain = elo.fit(votes.cells)
        fit, spread = intervals.spread(plain, votes.raw)
        inside = np.abs(fit.elo - votes.truth) <= elo.Z95 * fit.se
        alone = Clusters(plain, "CR3")
        alone.add(votes.voter, votes.left, votes.right, votes.score)
        by_voter = np.sqrt(np.diag(alone.covariance()))
        cast = intervals.appearances(votes.cells)
        usable = np.array([
            intervals.status(int(cast[m]), float(elo.Z95 * spread.pooled_design * plain.se[m]), True, int(spread.voters[m]),
                             float(spread.effective_voters[m]), float(spread.effective_prompts[m]),
                             intervals.least_effective(votes.models)) != "provisional"
            for m in range(votes.models)
        ])  # fmt: skip
        inference = ranks.rank_inference(fit.elo, fit.covariance, spread.degrees, draws=4_000)
        true = 1 + (votes.truth[None, :] > votes.truth[:, None] + 1e-6).sum(1)  # equals share a rank
        finding = verdict.find(fit.elo, fit.covariance, voters=spread.all_effective_voters,
                               prompts=spread.all_effective_prompts, inference=inference)  # fmt: skip
        best = int(np.argmax(votes.truth))
        sure = inference.best.max() >= 0.9
        count.update({
            "intervals": inside.size, "inside": int(inside.sum()),
            "inside by voter": int((np.abs(fit.elo - votes.truth) <= elo.Z95 * by_voter).sum()),
            "usable": int(usable.sum()), "usable inside": int(inside[usable].sum()),
            "ranks right": int(((inference.low <= true) & (true <= inference.high)).all()),
            "below": int((inference.low > true).any()),
            "sure": int(sure), "sure right": int(sure and int(np.argmax(inference.best)) == best),
            finding.kind: 1, f"{finding.kind} right": int(best in finding.named),
        })  # fmt: skip
    return count


def separation(world: worlds.World, boards: int, first_seed: int = 0) -> tuple[int, int, int]:
    """Neighbours that are not apart, those of them with a forecast, and those that it separated."""
    pairs = stated = separated = 0
    for seed in range(first_seed, first_seed + boards):
        arena = worlds.Arena.of(world, seed)
        votes = arena.votes(world.votes, seed)
        plain = elo.fit(votes.cells)
        fit, _ = intervals.spread(plain, votes.raw)
        needed = intervals.votes_to_next(fit, plain)
        uncapped = replace(arena, world=replace(world, cap=None))
        for upper, lower in pairwise(np.argsort(-fit.elo).tolist()):
            pairs += needed[upper] != 0
            if not (count := needed[upper]):
                continue
            only = np.zeros((votes.models, votes.models))
            only[upper, lower] = only[lower, upper] = 1
            later = worlds.together(votes, uncapped.votes(count, seed + 1_000_000, only))
            after, _ = intervals.spread(elo.fit(later.cells), later.raw)
            c = after.covariance
            reach = elo.Z95 * np.sqrt(c[upper, upper] + c[lower, lower] - 2 * c[upper, lower])
            stated += 1
            separated += bool(abs(after.elo[upper] - after.elo[lower]) >= reach)
    return pairs, stated, separated


def report(names: list[str], boards: int, seed: int) -> None:
    print(f"{'world':<18} intervals  by voter         usable  ranks  below  best>=.9  leads  open")
    for name in names:
        c, n = measure((worlds.WORLDS | worlds.OTHER_WORLDS)[name], boards, seed), boards
        usable = f"{100 * c['usable inside'] / c['usable']:.1f} % of {c['usable']}" if c["usable"] else "–"
        print(
            f"{name:<18} {100 * c['inside'] / c['intervals']:7.1f} % {100 * c['inside by voter'] / c['intervals']:7.1f} % "
            f"{usable:>14} {100 * c['ranks right'] / n:5.0f} % {100 * c['below'] / n:4.1f} %"
            f"  {c['sure right']}/{c['sure']}  {c['lead right']}/{c['lead']}  {c['open right']}/{c['open']}",
            flush=True,
        )


def report_separation(names: list[str], boards: int, seed: int) -> None:
    stated = separated = 0
    for name in names:
        pairs, *forecast = separation((worlds.WORLDS | worlds.OTHER_WORLDS)[name], boards, seed)
        stated, separated = stated + forecast[0], separated + forecast[1]
        print(f"{name:<24} {pairs:6} pairs, forecast {forecast[0]:4}, separated {forecast[1]:4}", flush=True)
    share = f"{100 * separated / stated:.1f} %" if stated else "none"
    print(f"separated of {stated} forecasts: {share}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=40, help="per world; most have 16 models and 8,000 votes")
    all_worlds = worlds.WORLDS | worlds.OTHER_WORLDS
    parser.add_argument("--world", action="append", choices=list(all_worlds), help="only these")
    parser.add_argument("--seed", type=int, default=0, help="of the first board")
    parser.add_argument("--separation", action="store_true", help="forecasts of votes that separate, and nothing else")
    options = parser.parse_args()
    names = options.world or list(all_worlds)
    if options.separation:
        report_separation(names, options.boards, options.seed)
    else:
        report(names, options.boards, options.seed)


if __name__ == "__main__":
    main()
