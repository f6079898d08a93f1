"""Boards whose votes have no likeliest ratings, or hardly: what can be said is said, and nothing else."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.rating import elo
from leaderboard.rating.elo import SCORES, Cells, fit, side_effect
from tests.leaderboard.rating.boards import GENAI, cells_of, evalica_elo, simulate, votes, wins_and_ties

# ---------------------------------------------------------------------------------------------- when no maximum exists


def test_a_board_without_votes_is_all_average_and_unknown():
    for models in ([], ["a"], ["a", "b", "c"]):
        result = fit(Cells.from_rows([], models=models))
        assert result.models == tuple(models)
        assert (result.elo == 1000).all()
        assert np.isinf(result.se).all()
        assert not result.connected.any()
        assert (result.lower == -math.inf).all()
        assert (result.upper == math.inf).all()


def test_a_model_without_votes_leaves_the_others_alone():
    cells = cells_of(GENAI)
    alone = fit(cells)
    rows = [(vote["left"], vote["right"], vote["outcome"], 1) for vote in votes(GENAI)]
    joined = fit(Cells.from_rows(rows, models=["AAA-new"]))
    assert joined.connected.tolist() == [False] + 6 * [True]
    assert np.array_equal(joined.elo[1:], alone.elo)
    assert np.array_equal(joined.covariance[1:, 1:], alone.covariance)
    assert joined.elo[0] == 1000
    assert joined.se[0] == math.inf
    assert (joined.covariance[0, 1:] == 0).all()


def test_a_model_that_only_won_gets_a_provisional_rating_from_one_virtual_tie_with_the_average():
    ring = [("a", "b", "left", 4), ("b", "c", "left", 4), ("c", "a", "left", 2)]
    result = fit(Cells.from_rows([*ring, ("new", "a", "left", 5)]))
    without = fit(Cells.from_rows(ring))
    assert result.connected.tolist() == [True, True, True, False]
    assert np.array_equal(result.elo[:3], without.elo)
    new, a = result.elo[3], result.elo[0]
    slope = 5 * (1 - elo.expected_score(new, a)) + 0.5 - elo.expected_score(new, 1000)
    assert abs(slope) < 1e-9
    assert a < new < 2000
    assert result.se[3] == math.inf


def test_of_two_islands_the_busier_is_fitted_then_the_larger_then_the_first():
    def island(names, n):
        return [(a, b, outcome, n) for a, b in pairwise(names) for outcome in ("left", "right")]

    larger = fit(Cells.from_rows(island("ab", 4) + island("xyz", 2)))
    busier = fit(Cells.from_rows(island("ab", 1) + island("yz", 2)))
    first = fit(Cells.from_rows(island("ab", 2) + island("yz", 2)))
    assert larger.connected.tolist() == [False, False, True, True, True]
    assert busier.connected.tolist() == [False, False, True, True]
    assert first.connected.tolist() == [True, True, False, False]


def test_without_any_cycle_all_ratings_are_provisional_but_ordered():
    result = fit(Cells.from_rows([("a", "b", "left", 10), ("b", "c", "left", 10)]))
    assert not result.connected.any()
    assert result.elo[0] > result.elo[1] > result.elo[2]
    assert result.elo[0] - 1000 == pytest.approx(1000 - result.elo[2])


def test_a_long_ring_of_lopsided_results_converges():
    k = 120
    rows = [(f"m{i:03}", f"m{i + 1:03}", "left", 10**6) for i in range(k - 1)]
    rows += [(f"m{i + 1:03}", f"m{i:03}", "left", 1) for i in range(k - 1)]
    result = fit(Cells.from_rows(rows))
    assert result.connected.all()
    np.testing.assert_allclose(-np.diff(result.elo), 2400, rtol=1e-6)


WILD = st.one_of(
    st.integers(0, 3), st.sampled_from([10**6, 10**9, 1e-12, 1e-30, 1e-300]), st.floats(0, 1e6, allow_subnormal=False)
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 6), st.data())
def test_any_counts_give_a_rating(k, data):
    names = [f"m{i}" for i in range(k)]
    row = st.tuples(st.sampled_from(range(k)), st.sampled_from(range(k)), st.sampled_from(list(SCORES)), WILD)
    rows = data.draw(st.lists(row.filter(lambda r: r[0] != r[1]), max_size=25)) if k > 1 else []
    cells = Cells.from_rows([(names[a], names[b], outcome, n) for a, b, outcome, n in rows], models=names)
    result = fit(cells)
    assert np.isfinite(result.elo).all()
    assert not np.isnan(result.covariance).any()
    assert (np.isfinite(result.se) == result.connected).all()
    if result.connected.any():
        assert result.elo[result.connected].mean() == pytest.approx(1000, abs=1e-6)
    effect = side_effect(cells)
    assert math.isfinite(effect.elo)
    assert effect.se >= 0


@st.composite
def odd_boards(draw):
    """Boards of any shape: one vote, all ties, islands, chains, one who always wins, counts from 1 to 10⁸."""
    k = draw(st.integers(2, 9))
    shape = draw(st.sampled_from(["any", "ties", "both bad", "separable", "islands", "chain"]))
    outcomes = {"ties": ["tie"], "both bad": ["both_bad"]}.get(shape, list(SCORES))
    rows = []
    for _ in range(draw(st.integers(1, 4 * k))):
        left, right = draw(st.permutations(range(k)))[:2]
        if shape == "chain":
            left, right = min(left, k - 2), min(left, k - 2) + 1
        if shape == "islands" and (left < k // 2) != (right < k // 2):
            continue
        outcome = draw(st.sampled_from(outcomes))
        if shape == "separable":
            outcome = "left" if left < right else "right"
        rows.append((f"m{left}", f"m{right}", outcome, draw(st.sampled_from([1, 2, 3, 50, 10**4, 10**8]))))
    return Cells.from_rows(rows, models=[f"m{i}" for i in range(k)])


def test_strangers_who_come_in_numbers_do_not_unrank_a_board():
    """Eight models with 800 votes; 165 votes among eleven others once made the eight's intervals infinite."""
    board = [(f"m{i}", f"m{j}", outcome, 7) for i in range(8) for j in range(i) for outcome in ("left", "right")]
    strangers = [(f"s{i}", f"s{j}", "tie", 3) for i in range(11) for j in range(i)]
    alone, together = fit(Cells.from_rows(board)), fit(Cells.from_rows([*board, *strangers]))
    assert [model for model, is_in in zip(together.models, together.connected, strict=True) if is_in] == list(
        alone.models
    )
    np.testing.assert_allclose(together.se[together.connected], alone.se)


def test_votes_beside_an_enormous_cell_still_count():
    """Whole votes are evidence however many others there are: 3,000 were dropped beside 10¹² of another pair."""
    rows = [("a", "b", "left", 10**12), ("b", "a", "left", 10**12), ("b", "c", "left", 2000), ("c", "b", "left", 1000)]
    result = fit(Cells.from_rows(rows))
    assert result.connected.all()
    assert result.elo[1] - result.elo[2] == pytest.approx(400 * math.log10(2), abs=0.01)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(odd_boards())
def test_of_any_board_the_component_with_most_votes_is_rated_so_that_every_model_scores_as_expected(cells):
    from scipy.sparse.csgraph import connected_components  # a third of a second, for the runner that comes here

    wins, ties = wins_and_ties(cells)
    _, label = connected_components(wins + ties > 0, directed=True, connection="strong")
    sizes, votes = np.bincount(label), np.zeros(label.max() + 1)
    inside = label[cells.left] == label[cells.right]
    np.add.at(votes, label[cells.left][inside], cells.n[inside])
    result = fit(cells)
    assert result.connected.any() == (sizes.max() > 1)
    if result.connected.any():
        own = label[np.flatnonzero(result.connected)[0]]
        assert (votes[own], sizes[own]) == (votes.max(), result.connected.sum())
    core = np.flatnonzero(result.connected)
    assert len(set(label[core])) <= 1
    inside = np.isin(cells.left, core) & np.isin(cells.right, core)
    left, right, n = cells.left[inside], cells.right[inside], cells.n[inside]
    p = np.array([elo.expected_score(a, b) for a, b in zip(result.elo[left], result.elo[right], strict=True)])
    k = len(cells.models)
    missed = np.bincount(left, n * (cells.score[inside] - p), k) - np.bincount(right, n * (cells.score[inside] - p), k)
    assert (np.abs(missed) <= 1e-9 * n.sum()).all()  # the likelihood's own equation, so no library has to converge
    if core.size and n.max() <= 50 and (wins + ties)[wins + ties > 0].min() * 50 >= n.max():
        place = np.cumsum(result.connected) - 1
        names = tuple(result.models[index] for index in core)
        alone = Cells(names, place[left], place[right], cells.score[inside], n)
        np.testing.assert_allclose(result.elo[core], evalica_elo(alone), atol=1e-4, rtol=0)


def test_three_hundred_models_with_few_votes_each_agree_with_a_library():
    *_, cells = simulate(models=300, count=9000, seed=9)
    result = fit(cells)
    assert result.connected.all()
    np.testing.assert_allclose(result.elo, evalica_elo(cells), atol=1e-4, rtol=0)
