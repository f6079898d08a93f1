"""A sample of voters, and tallies by prompt, say what all votes say. Seeds are fixed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.worlds import Arena, World
from leaderboard.rating import elo, intervals, ways
from leaderboard.rating.ways import Part, PromptTallies, RawVotes

WORLD = World(models=8, votes=60_000, voters=4_000, prompts=30, zipf=0.8, voter_taste=0.5, prompt_taste=0.3)
BUSY = 400  # votes from which on a voter is always read


@pytest.fixture(scope="module")
def votes():
    return Arena.of(WORLD, 3).votes(WORLD.votes, 3)


@pytest.fixture(scope="module")
def fit(votes):
    return elo.fit(votes.cells)


def part(votes, column, mask):
    codes = np.unique(column[mask], return_inverse=True)[1]
    return Part(codes, votes.left[mask], votes.right[mask], votes.score[mask], int(codes.max(initial=-1)) + 1)


def tallies_of(votes):
    counts, points, met = np.zeros((WORLD.prompts, 8)), np.zeros((WORLD.prompts, 8)), np.zeros((8, 8))
    for model, score in ((votes.left, votes.score), (votes.right, 1 - votes.score)):
        np.add.at(counts, (votes.prompt, model), 1)
        np.add.at(points, (votes.prompt, model), score)
    np.add.at(met, (votes.left, votes.right), 1)
    return PromptTallies(counts, points, met + met.T)


def sampled(votes, every):
    is_busy = np.bincount(votes.voter)[votes.voter] >= BUSY
    assert 0 < is_busy.mean() < 0.5
    return RawVotes(
        by_voter=[part(votes, votes.voter, is_busy)],
        by_prompt=[],
        sampled=[part(votes, votes.voter, ~is_busy & (votes.voter % every == 0))],
        share=1 / every,
        tallies=tallies_of(votes),
    )


def test_half_widths_from_a_quarter_of_the_voters_are_those_of_all(votes, fit):
    exact, known = intervals.spread(fit, votes.raw)
    quarter, guessed = intervals.spread(fit, sampled(votes, 4))
    error = np.abs(quarter.se / exact.se - 1)
    assert error.mean() < 0.02
    assert error.max() < 0.05
    assert guessed.all_voters == pytest.approx(known.all_voters, rel=0.02)
    assert guessed.all_effective_voters == pytest.approx(known.all_effective_voters, rel=0.1)
    np.testing.assert_allclose(guessed.voters, known.voters, rtol=0.05)


def test_the_votes_that_were_read_say_by_themselves_too_little(votes, fit):
    """The others' independent part belongs to it: without it intervals come out far too narrow."""
    exact, quarter = ways.by_voter(fit, votes.raw).se, sampled(votes, 4)
    assert np.abs(ways.by_voter(fit, quarter).se / exact - 1).max() < 0.1
    alone = RawVotes([*quarter.by_voter, *quarter.sampled], [])
    assert np.median(ways.by_voter(fit, alone).se / exact) < 0.9


def test_tallies_by_prompt_give_the_errors_of_single_votes(votes, fit):
    exact, tallied = ways.by_prompt(fit, votes.raw), ways.by_prompt(fit, RawVotes([], [], tallies=tallies_of(votes)))
    np.testing.assert_allclose(tallied.se, exact.se, rtol=0.06)
    np.testing.assert_allclose(tallied.effective, exact.effective, rtol=1e-9)
    assert (tallied.groups, tallied.known, tallied.all_effective) == (
        exact.groups, exact.known, pytest.approx(exact.all_effective),
    )  # fmt: skip


def test_one_prompt_in_the_tallies_cannot_be_estimated(votes, fit):
    one = tallies_of(votes)
    alone = PromptTallies(one.votes[:1], one.points[:1], one.met)
    assert np.isinf(ways.by_prompt(fit, RawVotes([], [], tallies=alone)).se).all()
