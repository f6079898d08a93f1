"""Ranks, tiers and chances on boards small enough to check by hand."""

import math

import numpy as np
import pytest

from leaderboard.rating.elo import Z95
from leaderboard.rating.ranks import rank_inference, tiers, votes_to_separate
from leaderboard.rating.student import LARGE_DF, t95

INF = math.inf


@pytest.mark.parametrize("unknown", [1500, 1050, 500])
def test_a_model_without_an_interval_could_be_anywhere_and_changes_nothing_for_the_others(unknown):
    result = rank_inference(np.array([unknown, 1100.0, 1000]), np.diag([INF, 25.0, 25.0]))
    assert result.low.tolist() == [1, 1, 2]
    assert result.high.tolist() == [3, 1, 2]
    assert result.best.tolist() == [0, 1, 0]
    assert result.above.tolist() == [[False] * 3, [False, False, True], [False] * 3]


def above(elo, half_width):
    return rank_inference(np.array(elo, float), np.diag(np.full(len(elo), (half_width / Z95) ** 2))).above


def test_a_tier_ends_only_where_every_model_above_is_surely_above_every_model_below():
    elo = np.array([1100.0, 1090, 1000, 990, 900])
    assert tiers(elo, above(elo, 10)).tolist() == [1, 1, 2, 2, 3]
    chain = np.array([1030.0, 1015, 1000, 985, 970])  # neighbours overlap: no edge anywhere
    assert tiers(chain, above(chain, 8)).tolist() == [1] * 5


def test_tiers_are_numbered_from_the_top_whatever_the_order_of_the_models():
    elo = np.array([900.0, 1100, 1000])
    assert tiers(elo, above(elo, 5)).tolist() == [3, 1, 2]
    assert tiers(np.array([]), np.zeros((0, 0), bool)).tolist() == []


def test_models_far_apart_have_certain_ranks():
    result = rank_inference(np.array([1000.0, 1200, 1100]), np.diag([9.0, 9, 9]))
    assert result.low.tolist() == result.high.tolist() == [3, 1, 2]
    assert result.best.tolist() == [0, 1, 0]


def test_equal_models_may_hold_any_rank():
    result = rank_inference(np.full(4, 1000.0), np.diag([100.0] * 4))
    assert result.low.tolist() == [1] * 4
    assert result.high.tolist() == [4] * 4
    np.testing.assert_allclose(result.best, 0.25, atol=0.02)
    assert result.best.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("k", "df", "studentized_range"),
    [(2, LARGE_DF, 2.772), (10, LARGE_DF, 4.474), (20, LARGE_DF, 5.012), (10, 20, 5.008), (3, 10, 3.877)],
)
def test_the_critical_value_is_that_of_tukey_for_independent_ratings(k, df, studentized_range):
    folded_in = t95(df) / Z95
    result = rank_inference(np.full(k, 1000.0), np.diag([100.0 * folded_in**2] * k), df, level=0.95)
    assert result.critical * folded_in == pytest.approx(studentized_range / math.sqrt(2), abs=0.06)


def test_chance_of_being_best_is_that_of_the_normal_difference():
    result = rank_inference(np.array([1010.0, 1000.0]), np.diag([50.0, 50.0]))
    assert result.best[0] == pytest.approx(0.8413, abs=0.015)  # Φ(1)


def test_a_shared_shift_of_all_ratings_decides_nothing():
    own = np.diag([4.0, 4.0, 4.0])
    elo = np.array([1030.0, 1000.0, 999.0])
    alone, together = rank_inference(elo, own), rank_inference(elo, own + 1000)
    assert alone.low.tolist() == together.low.tolist() == [1, 2, 2]
    assert alone.high.tolist() == together.high.tolist() == [1, 3, 3]


def test_the_same_ratings_always_give_the_same_chances():
    elo, covariance = np.array([1010.0, 1000.0, 990.0]), np.diag([50.0, 60.0, 70.0])
    first, second = rank_inference(elo, covariance), rank_inference(elo, covariance)
    assert np.array_equal(first.best, second.best)
    assert first.critical == second.critical


def test_a_board_of_one_or_none():
    one = rank_inference(np.array([1000.0]), np.array([[0.0]]))
    assert (one.low.tolist(), one.high.tolist(), one.best.tolist()) == ([1], [1], [1])
    none = rank_inference(np.array([1000.0]), np.array([[INF]]))
    assert (none.low.tolist(), none.high.tolist(), none.best.tolist()) == ([1], [1], [0])


def test_a_forecast_of_votes_is_stated_only_where_it_can_be_foreseen():
    known = {"votes": 0.01, "rest": 0.0, "information": 0.25}
    assert 0 < votes_to_separate(0.15, **known, strengths=0.1) < 20_000
    assert votes_to_separate(0.15, **known, strengths=0.0) is None  # ratings differ no more than their errors
    assert votes_to_separate(0.001, **known, strengths=0.001) is None  # too close
    assert votes_to_separate(0.15, 0.01, 0.05, 0.25, 0.1) is None  # other prompts would change more than votes can tell
    nearer, further = (votes_to_separate(gap, **known, strengths=0.1) for gap in (0.12, 0.18))
    assert nearer > further
