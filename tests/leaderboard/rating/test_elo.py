"""The rating engine against golden numbers, two independent libraries, brute force and its own promises."""

import csv
import json
import math
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from leaderboard.rating import elo, ranks
from leaderboard.rating.elo import SCALE, SCORES, Cells, fit, side_effect

VOTES = Path(__file__).parents[3] / "arena" / "demo" / "votes"
GOLDEN = json.loads((Path(__file__).parent / "golden-ratings.json").read_text())
BOARDS = sorted(GOLDEN)
ARRAYS = ("voters", "left", "right", "score")
GENAI, EDITING, PAINTING = "genai-arena-text-to-image", "imagenhub-image-editing", "imagenhub-text-to-image"


@cache
def votes(board):
    with (VOTES / f"votes-{board}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def cells_of(board):
    count = Counter((vote["left"], vote["right"], vote["outcome"]) for vote in votes(board))
    return Cells.from_rows((*key, n) for key, n in count.items())


def vote_arrays(board, cluster):
    """Per-vote (voters, left, right, score), with one cluster for each combination of the named columns."""
    models = cells_of(board).models
    clusters = [tuple(vote[column] for column in cluster) for vote in votes(board)]
    code = {key: index for index, key in enumerate(dict.fromkeys(clusters))}
    return (
        np.array([code[key] for key in clusters]),
        np.array([models.index(vote["left"]) for vote in votes(board)]),
        np.array([models.index(vote["right"]) for vote in votes(board)]),
        np.array([SCORES[vote["outcome"]] for vote in votes(board)]),
    )


def simulate(models=8, count=4000, voters=60, side=0.0, ties=0.15, zipf=0.0, seed=1):
    """Votes on models of random strength: voters, left, right, score, and the Cells they add up to."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.7, models)
    share = 1 / np.arange(1, voters + 1) ** zipf
    voter = rng.choice(voters, count, p=share / share.sum())
    left = rng.integers(0, models, count)
    right = (left + rng.integers(1, models, count)) % models
    chance = 1 / (1 + np.exp(strength[right] - strength[left] - side / SCALE))
    score = np.where(rng.random(count) < ties, 0.5, rng.random(count) < chance)
    return (
        voter,
        left,
        right,
        score,
        Cells(tuple(f"m{i:02}" for i in range(models)), left, right, score, np.ones(count)),
    )


def wins_and_ties(cells):
    """wins[i, j] = Σn of i beating j, ties[i, j] symmetric; by plain loops."""
    k = len(cells.models)
    wins, ties = np.zeros((k, k)), np.zeros((k, k))
    for left, right, score, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True):
        if score == 0.5:
            ties[left, right] += n
            ties[right, left] += n
        else:
            wins[(left, right) if score else (right, left)] += n
    return wins, ties


def evalica_elo(cells):
    import evalica  # with all of pandas: a second, for the few tests that ask it

    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    names = cells.models
    result = evalica.bradley_terry(
        [names[i] for i in cells.left],
        [names[i] for i in cells.right],
        [winner[score] for score in cells.score],
        weights=cells.n.tolist(),
        tolerance=1e-12,
        limit=10_000,
    )
    x = np.array([math.log(result.scores[name]) for name in names])
    return 1000 + SCALE * (x - x.mean())


def choix_elo(cells):
    import choix  # with all of scipy: the same

    wins, ties = wins_and_ties(cells)
    x = choix.ilsr_pairwise_dense(wins + ties / 2, alpha=0, max_iter=10_000, tol=1e-9)
    return 1000 + SCALE * (x - x.mean())


def elo_by_model(cells, result=None):
    result = result or fit(cells)
    return dict(zip(result.models, result.elo, strict=True))


@st.composite
def connected_boards(draw):
    """2 to 7 models, any few votes, and a ring of wins that makes the win graph strongly connected."""
    k = draw(st.integers(2, 7))
    names = [f"m{i}" for i in range(k)]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda both: both[0] != both[1])
    some = draw(st.lists(st.tuples(pair, st.sampled_from(list(SCORES)), st.integers(0, 40)), max_size=40))
    ring = [(names[i], names[(i + 1) % k], "left", draw(st.integers(1, 10))) for i in range(k)]
    return Cells.from_rows(ring + [(*models, outcome, n) for models, outcome, n in some])


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


# ---------------------------------------------------------------------------------------------- the side


@pytest.mark.parametrize("side", [0, 25, -60])
def test_a_preference_for_a_side_is_recovered(side):
    *_, cells = simulate(count=30_000, side=side)
    effect = side_effect(cells)
    shrunk = side * 0.85  # 15 % ties, whatever the side
    assert 1 < effect.se < 4
    assert abs(effect.elo - shrunk) < 3 * effect.se
    assert effect.lower == pytest.approx(effect.elo - 1.96 * effect.se, abs=1e-3)
    assert effect.upper == pytest.approx(effect.elo + 1.96 * effect.se, abs=1e-3)


def test_mirroring_every_battle_mirrors_the_side_effect():
    _, left, right, score, cells = simulate(side=30)
    effect, mirrored = side_effect(cells), side_effect(Cells(cells.models, right, left, 1 - score, cells.n))
    assert mirrored.elo == pytest.approx(-effect.elo, abs=1e-9)
    assert mirrored.se == pytest.approx(effect.se, abs=1e-9)


def test_balanced_sides_leave_the_ratings_where_they_are():
    rows = [("a", "b", "left", 40), ("a", "b", "right", 10), ("b", "a", "left", 20), ("b", "a", "right", 30)]
    effect = side_effect(Cells.from_rows(rows))
    # a wins 40 of 50 on the left and 30 of 50 on the right: log-odds x + γ and x − γ
    assert effect.elo == pytest.approx(SCALE * (math.log(4) - math.log(1.5)) / 2, rel=0.02)


def test_a_side_that_cannot_be_distinguished_from_strength_is_unknown():
    one_way = side_effect(Cells.from_rows([("a", "b", "left", 40), ("a", "b", "right", 10)]))
    assert (one_way.elo, one_way.se) == (0, math.inf)
    assert side_effect(Cells.from_rows([], models=["a", "b"])).se == math.inf


def test_a_side_that_always_wins_stays_finite():
    effect = side_effect(Cells.from_rows([("a", "b", "left", 40), ("b", "a", "left", 40)]))
    assert 300 < effect.elo < 2000


# ---------------------------------------------------------------------------------------------- after one vote


def test_four_hundred_points_are_odds_of_ten_to_one():
    assert elo.expected_score(1400, 1000) == pytest.approx(10 / 11)
    assert elo.expected_score(1000, 1000) == 0.5
    assert elo.expected_score(1e9, -1e9) == 1
    assert elo.expected_score(-1e9, 1e9) == pytest.approx(0)


def test_what_one_side_gains_the_other_loses():
    assert elo.online_change(1000, 1000, 1) == 2
    assert elo.online_change(1000, 1200, 0.5, k=32) == pytest.approx(-elo.online_change(1200, 1000, 0.5, k=32))
    assert elo.online_change(1400, 1000, 0, k=11) == pytest.approx(-10)


def test_newcomers_do_not_move_an_anchored_board():
    """Five weak newcomers lift twelve old models by tens of Elo where the mean of all is 1000; an anchor holds them."""
    *_, cells = simulate(models=12, count=6000)
    old = [f"old{index:02}" for index in range(12)]
    outcome = {1.0: "left", 0.5: "tie", 0.0: "right"}
    rows = [(old[a], old[b], outcome[score], n)
            for a, b, score, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True)]  # fmt: skip
    strength, news = dict(zip(old, fit(cells).elo, strict=True)), []
    for newcomer in (f"new{index}" for index in range(5)):
        for model in old:
            wins = round(100 * elo.expected_score(700, strength[model]))
            news += [(newcomer, model, "left", wins), (newcomer, model, "right", 100 - wins)]
    before = elo.anchored(fit(Cells.from_rows(rows)), old)
    after = elo.anchored(fit(Cells.from_rows([*rows, *news])), old)
    is_old = [model in old for model in after.models]
    assert np.abs(fit(Cells.from_rows([*rows, *news])).elo[is_old] - before.elo).mean() > 50
    np.testing.assert_allclose(after.elo[is_old], before.elo, atol=2)
    assert (after.se[is_old] <= before.se * 1.01).all()  # they bring votes, not uncertainty
    assert after.elo[is_old].mean() == pytest.approx(1000)


def test_an_anchor_leaves_differences_and_their_errors_as_they_are():
    *_, cells = simulate(models=6, count=900)
    plain = fit(cells)
    moved = elo.anchored(plain, cells.models[:2])
    assert moved.elo[:2].mean() == pytest.approx(1000)
    np.testing.assert_allclose(np.diff(moved.elo), np.diff(plain.elo))
    variances = [c[3, 3] + c[4, 4] - 2 * c[3, 4] for c in (moved.covariance, plain.covariance)]
    assert variances[0] == pytest.approx(variances[1])
    np.testing.assert_allclose(elo.centred(moved), elo.centred(plain), atol=1e-6)
    assert elo.anchored(plain, ["nobody"]) is plain
