"""From a fit to a board: which limit binds, statuses, what to ask next – checked by hand and by counting."""

import math
from dataclasses import replace

import numpy as np
import pytest

from leaderboard.rating import intervals
from leaderboard.rating.clusters import two_way
from leaderboard.rating.elo import SCALE, Z95, Cells, fit
from leaderboard.rating.intervals import (
    Part,
    RawVotes,
    spread,
    status,
    votes_added_to_flip,
    votes_to_flip,
    votes_to_next,
)
from tests.leaderboard.rating.boards import simulate


def raw(voter, prompt, left, right, score):
    """In two parts, of which each has all votes of its clusters."""

    def parts(cluster):
        for odd in (False, True):
            own = cluster % 2 == odd
            codes = np.unique(cluster[own], return_inverse=True)[1]
            yield Part(codes, left[own], right[own], score[own], np.unique(codes).size)

    return RawVotes(parts(voter), parts(prompt))


def test_voters_who_agree_with_themselves_widen_the_interval():
    voter, left, right, score, cells = simulate(count=3000, voters=60, zipf=1)
    rng = np.random.default_rng(1)
    taste = rng.normal(0, 1.5, (60, 8))
    score = (taste[voter, left] > taste[voter, right]).astype(float)
    result = fit(Cells(cells.models, left, right, score, np.ones(3000)))
    clustered, facts = spread(result, raw(voter, np.arange(3000) % 2000, left, right, score))
    assert (facts.design > 1.5).all()
    np.testing.assert_allclose(clustered.se, facts.design * result.se)
    np.testing.assert_allclose(intervals.inflated(result, facts.design).se, clustered.se)
    assert (facts.from_prompts < facts.from_votes).all()  # two thousand prompts limit nobody
    assert facts.pooled_design == pytest.approx(np.sqrt((facts.design**2).mean()))


def test_a_single_voter_cannot_show_how_voters_differ_and_two_show_it_badly():
    _, left, right, score, cells = simulate(count=3000, voters=29)
    result, prompt = fit(cells), np.arange(3000) % 50
    only_prompts, facts = spread(result, raw(np.zeros(3000, int), prompt, left, right, score))
    np.testing.assert_allclose(Z95 * only_prompts.se, facts.from_prompts)
    assert (facts.all_voters, facts.all_effective_voters) == (1, 1.0)
    two, _ = spread(result, raw(np.arange(3000) % 2, prompt, left, right, score))
    assert np.median(two.se / only_prompts.se) > 2  # Student's t with one degree of freedom


def test_effective_numbers_are_those_of_as_many_equal_voters():
    _, left, right, score, cells = simulate(count=5000, voters=29)
    voter = np.where(np.arange(5000) < 4500, 0, np.arange(5000))  # one with 90 %
    facts = spread(fit(cells), raw(voter, np.arange(5000) % 40, left, right, score))[1]
    assert facts.all_effective_voters == pytest.approx(1 / (0.81 + 500 / 5000**2), rel=1e-9)
    assert facts.all_effective_prompts == pytest.approx(40)
    assert ((facts.effective_voters > 1.1) & (facts.effective_voters < 1.4)).all()
    assert status(9999, 5, True, None, float(facts.effective_voters[0]), 40.0) == "provisional"
    unknown = spread(fit(cells), RawVotes([], []))[1]
    assert np.isnan(unknown.effective_voters).all()
    assert (unknown.all_effective_voters, unknown.all_effective_prompts) == (None, None)


def test_two_ways_are_cameron_gelbach_and_miller_and_never_below_the_larger_one():
    plain, by_voter, by_prompt = np.diag([1.0, 1.0]), np.diag([4.0, 0.5]), np.diag([3.0, 0.6])
    np.testing.assert_allclose(two_way(plain, by_voter, by_prompt), np.diag([6.0, 0.6]))
    np.testing.assert_allclose(two_way(plain, by_voter, None), by_voter)
    np.testing.assert_allclose(two_way(plain, None, None), plain)
    rng = np.random.default_rng(5)
    a, b, c = (root @ root.T for root in rng.normal(0, 1, (3, 6, 6)))
    total = two_way(a, b, c)
    assert np.linalg.eigvalsh(total).min() > -1e-9
    assert (np.diag(total) >= np.maximum(np.diag(b), np.diag(c)) - 1e-9).all()


def test_two_prompts_that_disagree_limit_a_board_that_votes_have_long_settled():
    voter, left, right, _, cells = simulate(count=6000, voters=300)
    rng = np.random.default_rng(2)
    prompt = rng.integers(0, 2, 6000)
    strength = rng.normal(0, 0.7, (2, 8))
    chance = 1 / (1 + np.exp(strength[prompt, right] - strength[prompt, left]))
    score = (rng.random(6000) < chance).astype(float)
    result = fit(Cells(cells.models, left, right, score, np.ones(6000)))
    clustered, facts = spread(result, raw(voter, prompt, left, right, score))
    assert np.median(facts.from_votes) < 20
    assert np.median(facts.from_prompts) > 60
    np.testing.assert_allclose(Z95 * clustered.se, facts.from_prompts, rtol=0.2)
    _, single = spread(result, raw(voter, np.zeros(6000, int), left, right, score))
    assert np.isinf(single.from_prompts).all()


def test_voters_are_counted_once_per_model_and_unknown_ones_once_per_vote():
    result = fit(Cells.from_rows([("a", "b", "left", 1), ("b", "c", "tie", 1)]))
    votes = Part(
        np.array([0, 0, 1, 2, 3]),
        np.array([0, 1, 0, 0, 1]),
        np.array([1, 0, 1, 1, 2]),
        np.array([1, 0, 1, 0.5, 1]),
        2,
    )
    again = replace(votes, known=1)  # another part, where only the first voter is known
    facts = spread(result, RawVotes([votes], []))[1]
    assert (facts.voters.tolist(), facts.all_voters, facts.all_prompts) == ([3, 4, 1], 2, 0)
    assert spread(result, RawVotes([votes, again], []))[1].voters.tolist() == [6, 8, 2]


@pytest.mark.parametrize(
    ("votes", "half_width", "connected", "voters", "expected"),
    [
        (300, 30, True, 30, "usable"),
        (299, 30, True, 30, "provisional"),
        (300, 30.1, True, 30, "provisional"),
        (300, math.inf, False, 30, "provisional"),
        (9999, 5, True, 29, "provisional"),
        (9999, 5, True, None, "settled"),
        (9999, 5, True, 30, "settled"),
        (9999, 12, True, 30, "settled"),
        (9999, 12.1, True, 30, "usable"),
        (9999, math.nan, True, 30, "provisional"),
    ],
)
def test_statuses_follow_their_thresholds(votes, half_width, connected, voters, expected):
    assert status(votes, half_width, connected, voters) == expected


@pytest.mark.parametrize(
    ("voters", "prompts", "expected"),
    [(10, 10, "settled"), (9.9, 10, "provisional"), (10, 9.9, "provisional"), (math.nan, math.nan, "settled")],
)
def test_a_rating_rests_on_ten_effective_voters_and_prompts(voters, prompts, expected):
    assert status(9999, 5, True, None, voters, prompts) == expected


def test_votes_to_the_next_model_go_down_the_board_and_end_with_it():
    result = fit(simulate(count=900, models=5)[-1])
    needed = votes_to_next(result, result)
    ordered = np.argsort(-result.elo)
    assert needed[ordered[-1]] is None
    assert all(count is None or 0 <= count <= 20_000 for count in needed)
    assert any(count == 0 for count in needed)
    alone = fit(Cells.from_rows([("a", "b", "left", 5)]))
    assert votes_to_next(alone, alone) == [None, None]
    equal = fit(Cells.from_rows([(a, b, side, 50) for a, b in ("ab", "bc", "ca") for side in ("left", "right")]))
    assert votes_to_next(equal, equal) == [None] * 3  # ratings that differ by no more than their errors


def test_what_voters_and_prompts_add_makes_a_separation_unforeseeable():
    result = fit(simulate(count=2500, models=6)[-1])
    wide = replace(result, covariance=result.covariance * 9)
    before, after = votes_to_next(result, result), votes_to_next(wide, result)
    assert sum(count is None for count in after) >= sum(count is None for count in before)
    assert all(b is None or a is None or a >= b for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_about_as_few_votes_as_said_do_flip_the_first_place(seed):
    _, left, right, score, cells = simulate(models=5, count=1500, seed=seed)
    result = fit(cells)
    few = votes_to_flip(result, cells)
    ordered = np.argsort(-result.elo)
    leader, rival = ordered[0], ordered[1]
    x = result.bread[leader] - result.bread[rival]
    p = 1 / (1 + np.exp((result.elo[right] - result.elo[left]) / SCALE))
    fall = (score - p) * (x[left] - x[right])

    def leader_without(count):
        rest = np.argsort(-fall, kind="stable")[count:]
        return np.argmax(fit(Cells(cells.models, left[rest], right[rest], score[rest], np.ones(rest.size))).elo)

    assert 0 < few < 1500
    assert leader_without(few) != leader
    assert leader_without(few - 3) == leader  # votes of one cell are alike, so a few may change places


@pytest.mark.parametrize("seed", range(3))
def test_so_many_added_votes_and_no_fewer_put_another_model_first(seed):
    *_, cells = simulate(models=5, count=1500, seed=seed)
    result = fit(cells)
    added, leader = votes_added_to_flip(result, cells), int(np.argmax(result.elo))

    def first_with(count, rival):
        rows = [(cells.left, rival), (cells.right, leader), (cells.score, 1.0), (cells.n, count)]
        return int(np.argmax(fit(Cells(cells.models, *(np.append(column, value) for column, value in rows))).elo))

    rivals = [rival for rival in range(5) if rival != leader]
    assert any(first_with(added, rival) != leader for rival in rivals)
    assert all(first_with(added - 1, rival) == leader for rival in rivals)


def test_nothing_flips_where_there_is_no_second_model():
    assert votes_added_to_flip(fit(Cells.from_rows([], models=["a"])), Cells.from_rows([], models=["a"])) is None
    assert votes_to_flip(fit(Cells.from_rows([], models=["a"])), Cells.from_rows([], models=["a"])) is None


def test_one_tie_is_no_certainty_and_a_real_board_stays_as_it_is():
    cells = Cells.from_rows([("a", "b", "tie", 1)])
    assert fit(cells).se.tolist() == [0, 0]
    assert (intervals.careful(fit(cells), cells).se > 100).all()
    *_, cells = simulate()
    result = fit(cells)
    assert intervals.careful(result, cells) is result
