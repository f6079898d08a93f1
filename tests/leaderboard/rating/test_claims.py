"""What a board claims is true as often as it says, in worlds where the truth is known. Seeds are fixed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks import worlds
from benchmarks.worlds import WORLDS, World
from leaderboard.rating import elo, intervals, ranks
from leaderboard.rating.clusters import Clusters

BOARDS = 40  # of 16 models: 640 intervals; their coverage has a standard error of about 1 %


@cache
def rated(world: World, boards: int = BOARDS):
    """(votes, plain fit, fit, spread) of each board."""
    drawn = [worlds.draw(world, seed) for seed in range(boards)]
    plain = [elo.fit(votes.cells) for votes in drawn]
    return [(votes, fit, *intervals.spread(fit, votes.raw)) for votes, fit in zip(drawn, plain, strict=True)]


def coverage(fits):
    inside = [np.abs(fit.elo - votes.truth) <= elo.Z95 * fit.se for votes, fit in fits]
    return float(np.mean(inside))


@pytest.mark.parametrize("name", ["independent", "40 voters", "12 prompts"])
def test_intervals_cover_the_truth(name):
    assert coverage((votes, fit) for votes, _, fit, _ in rated(WORLDS[name])) >= 0.935


def test_with_twelve_prompts_voters_alone_as_clusters_cover_far_too_little():
    def by_voters():
        for votes, plain, _, _ in rated(WORLDS["12 prompts"]):
            clusters = Clusters(plain, "CR3")
            clusters.add(votes.voter, votes.left, votes.right, votes.score)
            yield votes, replace(plain, covariance=clusters.covariance())

    assert coverage(by_voters()) < 0.85


def test_with_twelve_prompts_rank_intervals_hold_and_no_board_shows_a_model_below_its_rank():
    right = below = 0
    for votes, _, fit, _ in rated(WORLDS["12 prompts"]):
        true = 1 + (votes.truth[None, :] > votes.truth[:, None]).sum(1)
        inference = ranks.rank_inference(fit.elo, fit.covariance, draws=2_000)
        right += bool(((inference.low <= true) & (true <= inference.high)).all())
        below += bool((ranks.ranks(fit.lower, fit.upper) > true).any())
    assert right >= 0.95 * BOARDS
    assert below <= 0.03 * BOARDS


def test_a_status_does_not_pick_lucky_intervals():
    """Of ratings that are usable as many intervals hold as of all. With each model's own design effect fewer would."""
    inside = total = 0
    for votes, plain, fit, spread in rated(World(models=8, votes=5_000, voters=32, voter_taste=0.5), 80):
        half_width = elo.Z95 * spread.pooled_design * plain.se
        count = intervals.appearances(votes.cells)
        usable = np.array([
            intervals.status(int(count[m]), half_width[m], True, int(spread.voters[m]), spread.effective_voters[m],
                             spread.effective_prompts[m]) != "provisional"
            for m in range(votes.models)
        ])  # fmt: skip
        inside += int((np.abs(fit.elo - votes.truth) <= elo.Z95 * fit.se)[usable].sum())
        total += int(usable.sum())
    assert 100 < total < 640
    assert inside / total >= 0.935
