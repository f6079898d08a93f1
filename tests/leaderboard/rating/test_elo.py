"""The rating engine against golden numbers, two independent libraries, brute force and its own promises."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from leaderboard.rating import ranks
from leaderboard.rating.elo import SCALE, Cells, fit
from tests.leaderboard.rating.boards import (
    BOARDS,
    GENAI,
    GOLDEN,
    PAINTING,
    cells_of,
    choix_elo,
    connected_boards,
    elo_by_model,
    evalica_elo,
    simulate,
    votes,
    wins_and_ties,
)

# ---------------------------------------------------------------------------------------------- known answers


@pytest.mark.parametrize("board", BOARDS)
def test_golden_ratings_errors_and_ranks_come_out(board):
    golden = GOLDEN[board]["ratings"]
    result = fit(cells_of(board))
    by_model = [golden[model] for model in result.models]
    assert len(result.models) == GOLDEN[board]["models"]
    assert cells_of(board).n.sum() == GOLDEN[board]["votes"]
    assert result.connected.all()
    np.testing.assert_allclose(result.elo, [row["elo"] for row in by_model], atol=1e-5, rtol=0)
    np.testing.assert_allclose(result.se, [row["sandwich_se"] for row in by_model], atol=1e-5, rtol=0)
    place = ranks.rank_inference(result.elo, result.covariance)
    assert all(low <= row["rank"] <= high for row, low, high in zip(by_model, place.low, place.high, strict=True))


@pytest.mark.parametrize("board", BOARDS)
def test_two_independent_libraries_find_the_same_ratings_of_real_votes(board):
    ours = fit(cells_of(board)).elo
    np.testing.assert_allclose(ours, evalica_elo(cells_of(board)), atol=1e-4, rtol=0)
    np.testing.assert_allclose(ours, choix_elo(cells_of(board)), atol=1e-4, rtol=0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(connected_boards())
def test_two_independent_libraries_find_the_same_ratings_of_any_connected_board(cells):
    result = fit(cells)
    assert result.connected.all()
    np.testing.assert_allclose(result.elo, evalica_elo(cells), atol=1e-4, rtol=0)
    np.testing.assert_allclose(result.elo, choix_elo(cells), atol=1e-4, rtol=0)


def test_two_models_have_a_closed_form():
    result = fit(Cells.from_rows([("a", "b", "left", 60), ("a", "b", "right", 30), ("b", "a", "both_bad", 20)]))
    assert result.elo[0] - result.elo[1] == pytest.approx(400 * math.log10(70 / 40), abs=1e-9)
    p = 70 / 110
    information = 110 * p * (1 - p)
    noise = 60 * (1 - p) ** 2 + 30 * p**2 + 20 * (0.5 - p) ** 2
    assert 2 * result.se[0] == pytest.approx(SCALE * math.sqrt(noise) / information, rel=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(connected_boards())
def test_no_small_change_of_a_rating_makes_the_votes_likelier(cells):
    wins, ties = wins_and_ties(cells)
    x = (fit(cells).elo - 1000) / SCALE

    def log_likelihood(x):
        return -((wins + ties / 2) * np.log1p(np.exp(x[None, :] - x[:, None]))).sum()

    for step in 1e-5 * np.eye(len(x)):
        slope = (log_likelihood(x + step) - log_likelihood(x - step)) / 2e-5
        assert abs(slope) < 1e-6 * cells.n.sum()


def test_covariance_is_the_sandwich_of_brute_force():
    *_, cells = simulate(count=600)
    result = fit(cells)
    x = (result.elo - 1000) / SCALE
    curvature, meat = np.zeros((8, 8)), np.zeros((8, 8))
    for left, right, score in zip(cells.left, cells.right, cells.score, strict=True):
        z = np.zeros(8)
        z[left], z[right] = 1, -1
        p = 1 / (1 + math.exp(-z @ x))
        curvature += p * (1 - p) * np.outer(z, z)
        meat += (score - p) ** 2 * np.outer(z, z)
    bread = np.linalg.pinv(curvature)
    np.testing.assert_allclose(result.bread, bread, atol=1e-12)
    np.testing.assert_allclose(result.covariance, SCALE**2 * bread @ meat @ bread, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(result.upper - result.lower, 2 * 1.959963984540054 * result.se)


@pytest.mark.parametrize("board", [GENAI, PAINTING])
def test_bootstrap_spread_agrees_with_the_sandwich_for_every_model(board):
    cells = cells_of(board)
    start = elo_by_model(cells)
    rng = np.random.default_rng(7)
    total = int(cells.n.sum())
    resamples = [fit(replace(cells, n=n), start=start).elo for n in rng.multinomial(total, cells.n / total, 3000)]
    ratio = np.std(resamples, axis=0) / fit(cells).se  # of 3000 draws: ± 1.3 % by chance alone
    assert ((ratio > 0.96) & (ratio < 1.04)).all()


# ---------------------------------------------------------------------------------------------- invariances


@pytest.mark.parametrize("weighted", [False, True])
def test_shuffling_votes_changes_no_bit(weighted):
    rng = np.random.default_rng(3)
    _, left, right, score, cells = simulate()
    weight = 2 ** -rng.uniform(0, 4, left.size) if weighted else np.ones(left.size)
    order = rng.permutation(left.size)
    before = fit(Cells(cells.models, left, right, score, weight, weight**2))
    after = fit(Cells(cells.models, left[order], right[order], score[order], weight[order], weight[order] ** 2))
    assert np.array_equal(before.elo, after.elo)
    assert np.array_equal(before.covariance, after.covariance)


def test_shuffling_named_rows_changes_no_bit():
    rows = [(vote["left"], vote["right"], vote["outcome"], 1) for vote in votes(PAINTING)]
    shuffled = [rows[i] for i in np.random.default_rng(4).permutation(len(rows))]
    before, after = fit(Cells.from_rows(rows)), fit(Cells.from_rows(shuffled))
    assert before.models == after.models
    assert np.array_equal(before.elo, after.elo)
    assert np.array_equal(before.covariance, after.covariance)


def test_swapping_sides_changes_no_bit():
    _, left, right, score, cells = simulate()
    swap = np.random.default_rng(5).random(left.size) < 0.5
    swapped = Cells(
        cells.models,
        np.where(swap, right, left),
        np.where(swap, left, right),
        np.where(swap, 1 - score, score),
        cells.n,
    )
    before, after = fit(cells), fit(swapped)
    assert np.array_equal(before.elo, after.elo)
    assert np.array_equal(before.covariance, after.covariance)


def test_counts_and_single_votes_give_the_same_bits():
    rows = [(vote["left"], vote["right"], vote["outcome"], 1) for vote in votes(GENAI)]
    assert np.array_equal(fit(Cells.from_rows(rows)).elo, fit(cells_of(GENAI)).elo)


@pytest.mark.parametrize("board", BOARDS)
def test_a_warm_start_ends_at_the_same_digits(board):
    cold = fit(cells_of(board))
    rng = np.random.default_rng(6)
    near = {model: rating + rng.normal(0, 20) for model, rating in elo_by_model(cells_of(board), cold).items()}
    far = {model: rng.choice([-1e9, math.inf, math.nan, 5000]) for model in cold.models}
    for start in ({}, elo_by_model(cells_of(board), cold), near, far):
        warm = fit(cells_of(board), start=start)
        np.testing.assert_allclose(warm.elo, cold.elo, atol=1e-9, rtol=0)
        np.testing.assert_allclose(warm.se, cold.se, atol=1e-9, rtol=0)
    assert fit(cells_of(board), start=elo_by_model(cells_of(board), cold)).iterations == 2 < cold.iterations
    assert cold.iterations <= 7


def test_weights_act_like_copies_and_their_squares_like_repeated_noise():
    *_, cells = simulate(count=500)
    single, thrice = fit(cells), fit(replace(cells, n=3 * cells.n, squared=9 * cells.n))
    np.testing.assert_allclose(thrice.elo, single.elo, atol=1e-9, rtol=0)
    np.testing.assert_allclose(thrice.covariance, single.covariance, rtol=1e-9, atol=1e-9)
    copies = fit(replace(cells, n=3 * cells.n))
    np.testing.assert_allclose(copies.covariance, single.covariance / 3, rtol=1e-9, atol=1e-9)


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("a", "b", "left", -1)], "not negative"),
        ([("a", "b", "left", math.nan)], "finite"),
        ([("a", "b", "left", math.inf)], "finite"),
        ([("a", "a", "tie", 1)], "cannot meet itself"),
        ([("a", "b", "skip", 1)], "unknown outcome 'skip'"),
    ],
)
def test_what_is_not_a_vote_count_is_refused(rows, reason):
    with pytest.raises(ValueError, match=reason):
        Cells.from_rows(rows)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"left": [0, 2]}, "must index the 2 models"),
        ({"right": [-1, 0]}, "must index the 2 models"),
        ({"score": [0.25, 1]}, "score must be"),
        ({"n": [1]}, "shape"),
        ({"squared": [1, -1]}, "squared must be"),
        ({"models": ("a", "a")}, "named twice"),
    ],
)
def test_arrays_that_are_not_votes_are_refused(change, reason):
    good = {"models": ("a", "b"), "left": [0, 1], "right": [1, 0], "score": [1, 0.5], "n": [3, 4]}
    with pytest.raises(ValueError, match=reason):
        Cells(**good | change)
