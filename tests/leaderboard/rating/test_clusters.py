"""The cluster-robust covariance against brute force, real refits and its own promises."""

import math
from dataclasses import replace

import numpy as np
import pytest

from leaderboard.rating import clusters
from leaderboard.rating.clusters import clustered_covariance
from leaderboard.rating.elo import SCALE, Cells, fit
from tests.leaderboard.rating.boards import ARRAYS, BOARDS, EDITING, cells_of, simulate, vote_arrays


@pytest.mark.parametrize("board", BOARDS)
def test_clusters_of_one_vote_are_the_sandwich(board):
    result = fit(cells_of(board))
    _, left, right, score = vote_arrays(board, ["voter"])
    n = left.size
    covariance = clustered_covariance(result, np.arange(n), left, right, score)
    np.testing.assert_allclose(covariance, result.covariance * n / (n - 1), rtol=1e-9, atol=1e-9)


def brute_force_clusters(result, voters, left, right, score, kind):
    k, x = len(result.models), (result.elo - 1000) / SCALE
    z = np.zeros((left.size, k))
    z[np.arange(left.size), left], z[np.arange(left.size), right] = 1, -1
    p = 1 / (1 + np.exp(-z @ x))
    curvature = (z * (p * (1 - p))[:, None]).T @ z
    total = np.zeros((k, k))
    groups = np.unique(voters)
    for voter in groups:
        own = voters == voter
        share = (z[own] * (p * (1 - p))[own, None]).T @ z[own]
        shift = np.linalg.pinv(curvature - (share if kind == "CR3" else 0)) @ (z[own].T @ (score - p)[own])
        total += np.outer(shift, shift)
    g = groups.size
    return SCALE**2 * total * (g / (g - 1) if kind == "CR1" else (g - 1) / g)


@pytest.mark.parametrize("kind", ["CR1", "CR3"])
@pytest.mark.parametrize("zipf", [0, 1.2])
@pytest.mark.parametrize("few", [0, 64])
def test_clustered_covariance_is_that_of_brute_force(kind, zipf, few, monkeypatch):
    monkeypatch.setattr(clusters, "BLOCK", 1000)  # many blocks, of many sizes
    monkeypatch.setattr(clusters, "FEW_BLOCKS", few)
    voters, left, right, score, cells = simulate(count=6000, voters=400, zipf=zipf)
    result = fit(cells)
    expected = brute_force_clusters(result, voters, left, right, score, kind)
    narrow = clustered_covariance(
        result, voters.astype(np.int16), left.astype(np.int8), right.astype(np.int8), score.astype(np.float32), kind
    )
    np.testing.assert_allclose(narrow, expected, rtol=0, atol=3e-4 * expected.max())


def test_a_jack_knife_of_real_refits_agrees_with_its_one_step():
    voters, left, right, score, cells = simulate(count=2500, voters=50, zipf=0.5)
    result = fit(cells)
    refits = []
    for voter in range(50):
        others = voters != voter
        refits.append(fit(Cells(cells.models, left[others], right[others], score[others], np.ones(others.sum()))).elo)
    se = np.sqrt(49 / 50 * ((np.array(refits) - result.elo) ** 2).sum(0))
    one_step = np.sqrt(np.diag(clustered_covariance(result, voters, left, right, score, "CR3")))
    np.testing.assert_allclose(one_step, se, rtol=0.01)


def test_voting_ten_times_over_teaches_nothing_new():
    voters, left, right, score, cells = simulate(count=1500, voters=50)
    once = clustered_covariance(fit(cells), voters, left, right, score)
    voters, left, right, score = (np.repeat(array, 10) for array in (voters, left, right, score))
    result = fit(Cells(cells.models, left, right, score, np.ones(15_000)))
    many = clustered_covariance(result, voters, left, right, score)
    np.testing.assert_allclose(many, once, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(result.covariance, fit(cells).covariance / 10, rtol=1e-6, atol=1e-6)


def test_weighted_votes_cluster_like_copies():
    voters, left, right, score, cells = simulate(count=800, voters=30)
    weight = np.random.default_rng(8).integers(1, 4, 800)
    result = fit(replace(cells, n=weight))
    copies = {name: np.repeat(array, weight) for name, array in zip(ARRAYS, (voters, left, right, score), strict=True)}
    for kind in ("CR1", "CR3"):
        weighted = clustered_covariance(result, voters, left, right, score, kind, weight=weight.astype(float))
        expected = clustered_covariance(result, **copies, kind=kind)
        np.testing.assert_allclose(weighted, expected, rtol=0, atol=1e-6 * expected.max())


def test_raters_who_score_many_pairs_at_once_are_less_certain_than_their_votes():
    result = fit(cells_of(EDITING))
    clustered = clustered_covariance(result, *vote_arrays(EDITING, ["voter", "prompt"]))
    design_effect = np.sqrt(np.diag(clustered)) / result.se
    assert 1.3 < design_effect.mean() < 2.5


def test_a_model_only_one_voter_judged_does_not_upset_the_others():
    voters, left, right, score, cells = simulate(models=6, count=1200, voters=30)
    voters, left, right = np.append(voters, [30] * 6), np.append(left, [6] * 6), np.append(right, [0, 1, 2, 3, 4, 5])
    score = np.append(score, [1, 0, 1, 0, 1, 0.5])
    result = fit(Cells((*cells.models, "new"), left, right, score, np.ones(left.size)))
    jack_knife = clustered_covariance(result, voters, left, right, score, "CR3")
    assert np.isfinite(jack_knife).all()
    assert np.sqrt(np.diag(jack_knife))[:6].max() < 40


def test_votes_outside_the_component_are_skipped_and_their_models_unknown():
    voters, left, right, score, cells = simulate(models=5, count=900, voters=30)
    alone = clustered_covariance(fit(cells), voters, left, right, score, "CR3")
    voters, left, right, score = np.append(voters, 31), np.append(left, 5), np.append(right, 0), np.append(score, 1.0)
    result = fit(Cells((*cells.models, "new"), left, right, score, np.ones(left.size)))
    joined = clustered_covariance(result, voters, left, right, score, "CR3")
    np.testing.assert_allclose(joined[:5, :5], alone, rtol=1e-9, atol=1e-9)
    assert joined[5, 5] == math.inf
    assert (joined[5, :5] == 0).all()


@pytest.mark.parametrize("voters", [[], [0], [7, 7, 7]])
def test_fewer_than_two_voters_leave_every_variance_infinite(voters):
    result = fit(Cells.from_rows([("a", "b", "left", 2), ("a", "b", "right", 1)]))
    n = len(voters)
    arrays = [np.array(values[:n]) for values in ([0, 0, 0], [1, 1, 1])]
    codes, score = np.array(voters, np.int64), np.array([1.0, 1.0, 0.0][:n])
    covariance = clustered_covariance(result, codes, arrays[0].astype(int), arrays[1].astype(int), score)
    assert np.diag(covariance).tolist() == [math.inf, math.inf]
    assert covariance[0, 1] == 0


@pytest.mark.parametrize("kind", ["CR1", "CR3"])
def test_a_model_of_which_the_voters_agree_has_no_variance_rather_than_less(kind):
    left, right = np.array([1, 2, 2, 1, 0, 1]), np.array([0, 1, 0, 0, 1, 0])
    score, voters = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 0.0]), np.array([1, 1, 1, 0, 0, 0])
    result = fit(Cells(("a", "b", "c"), left, right, score, np.ones(6)))
    covariance = clustered_covariance(result, voters, left, right, score, kind=kind)
    assert (np.diag(covariance) >= 0).all()
    assert np.isfinite(replace(result, covariance=covariance).se).all()


def test_clusters_refuse_what_is_not_a_vote():
    result = fit(Cells.from_rows([("a", "b", "left", 2), ("a", "b", "right", 1)]))
    zero, one, half = np.array([0]), np.array([1]), np.array([0.5])
    with pytest.raises(ValueError, match="one entry per vote"):
        clustered_covariance(result, np.array([0, 1]), zero, one, half)
    with pytest.raises(ValueError, match="not be negative"):
        clustered_covariance(result, -one, zero, one, half)
    with pytest.raises(ValueError, match="cannot meet itself"):
        clustered_covariance(result, zero, one, one, half)
    with pytest.raises(ValueError, match="unknown kind"):
        clustered_covariance(result, zero, zero, one, half, "CR2")
