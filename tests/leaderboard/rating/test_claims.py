"""What a board claims is true as often as it says, in worlds where the truth is known. Seeds are fixed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import worlds
from benchmarks.worlds import OTHER_WORLDS, WORLDS, Arena, World
from leaderboard.rating import elo, intervals, ranks, verdict
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
        below += bool((inference.low > true).any())
    assert right >= 0.95 * BOARDS
    assert below <= 0.03 * BOARDS


def test_a_status_does_not_pick_lucky_intervals():
    """Of ratings that are usable as many intervals hold as of all. With each model's own design effect fewer would."""
    inside = total = 0
    for votes, plain, fit, spread in rated(World(models=8, votes=5_000, voters=32, voter_taste=0.5), 50):
        half_width = elo.Z95 * spread.pooled_design * plain.se
        count = intervals.appearances(votes.cells)
        usable = np.array([
            intervals.status(int(count[m]), half_width[m], True, int(spread.voters[m]), spread.effective_voters[m],
                             spread.effective_prompts[m]) != "provisional"
            for m in range(votes.models)
        ])  # fmt: skip
        inside += int((np.abs(fit.elo - votes.truth) <= elo.Z95 * fit.se)[usable].sum())
        total += int(usable.sum())
    assert 100 < total < 400
    assert inside / total >= 0.935


@pytest.mark.parametrize(
    ("world", "boards"),
    [(World(models=8, votes=2500), 25),
     (World(models=8, votes=2500, voters=250, voter_taste=0.5, prompts=60, prompt_taste=0.2), 80)],
)  # fmt: skip
def test_so_many_more_votes_separate_two_neighbours_in_four_of_five_cases(world, boards):
    stated = separated = 0
    for seed in range(boards):
        arena = Arena.of(world, seed)
        votes = arena.votes(world.votes, seed)
        plain = elo.fit(votes.cells)
        fit, _ = intervals.spread(plain, votes.raw)
        order = np.argsort(-fit.elo)
        needed = intervals.votes_to_next(fit, plain)
        for upper, lower in pairwise(order):
            if not needed[upper]:
                continue
            pair = np.zeros((8, 8))
            pair[upper, lower] = pair[lower, upper] = 1
            later = worlds.together(votes, arena.votes(needed[upper], seed + 1000, pair))
            after, _ = intervals.spread(elo.fit(later.cells), later.raw)
            c = after.covariance
            reach = elo.Z95 * np.sqrt(c[upper, upper] + c[lower, lower] - 2 * c[upper, lower])
            stated += 1
            separated += bool(abs(after.elo[upper] - after.elo[lower]) >= reach)
    assert stated >= 6
    assert separated / stated >= 0.65  # 80 %, with the noise of so few


def test_two_halves_that_few_votes_join_claim_no_more_than_these_votes_know():
    """Inside a half all is known, between the halves only what twenty votes say: wide, and no place across."""
    boards = rated(OTHER_WORLDS["two halves, 20 votes"], 8)
    assert coverage((votes, fit) for votes, _, fit, _ in boards) >= 0.935
    for votes, _, fit, _ in boards:
        half = votes.models // 2
        inside, across = ((fit.covariance[0, 0] + fit.covariance[m, m] - 2 * fit.covariance[0, m]) for m in (1, half))
        assert across > 4 * inside
        true = 1 + (votes.truth[None, :] > votes.truth[:, None]).sum(1)
        inference = ranks.rank_inference(fit.elo, fit.covariance, draws=2_000)
        assert ((inference.low <= true) & (true <= inference.high)).all()


def test_no_tier_has_a_pair_in_the_wrong_order_across_its_edge():
    wrong = edges = 0
    for votes, _, fit, _ in rated(WORLDS["independent"]):
        tier = ranks.tiers(fit.elo, ranks.rank_inference(fit.elo, fit.covariance, draws=2_000).above)
        edges += int(tier.max()) - 1
        higher = tier[:, None] < tier[None, :]
        wrong += bool((higher & (votes.truth[:, None] < votes.truth[None, :])).any())
    assert edges > 10
    assert wrong <= 0.05 * BOARDS


def test_verdicts_about_first_place_are_true():
    """A leader that is named is the best; where first place is open, the best is one of those named."""
    said = right = 0
    for name in ("independent", "12 prompts"):
        for votes, _, fit, spread in rated(WORLDS[name]):
            finding = verdict.find(fit.elo, fit.covariance, voters=spread.all_effective_voters,
                                   prompts=spread.all_effective_prompts)  # fmt: skip
            if finding.kind in ("lead", "open"):
                said += 1
                right += int(np.argmax(votes.truth)) in finding.named
    assert said >= BOARDS
    assert right >= 0.95 * said


def test_a_liking_for_a_side_is_not_found_where_there_is_none():
    claims = 0
    for votes, _, _, _ in rated(WORLDS["independent"]):
        side = elo.side_effect(votes.cells)
        claims += "no liking" not in verdict.of_side(side.elo, side.se).claim
    assert claims <= 0.15 * BOARDS  # 5 %, with the noise of forty boards
