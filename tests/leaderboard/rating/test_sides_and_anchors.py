"""The preference for a side, and where the scale is fastened: neither moves what models are worth to each other."""

import math

import numpy as np
import pytest

from leaderboard.rating import elo
from leaderboard.rating.elo import SCALE, Cells, fit, side_effect
from tests.leaderboard.rating.boards import simulate

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
