"""A voter's own rating: what little votes say, and how it leans on the public ratings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.rating import elo, personal

NAMES = ("a", "b", "c", "d")
MEAN, DEVIATION = np.array([1100.0, 1000.0, 1000.0, 900.0]), np.array([100.0, 120.0, 200.0, 105.0])
ballots = st.lists(
    st.tuples(st.permutations(NAMES).map(lambda names: names[:2]), st.sampled_from(sorted(elo.SCORES))), max_size=40
)


def fit(votes, mean=MEAN, deviation=DEVIATION):
    cells = elo.Cells.from_rows(((left, right, outcome, 1) for (left, right), outcome in votes), NAMES)
    return personal.fit(cells, mean, deviation)


def test_without_votes_the_prior_stands():
    own = fit([])
    assert own.elo == pytest.approx(MEAN)
    assert own.se == pytest.approx(DEVIATION)


@given(ballots)
def test_the_rating_is_where_prior_and_votes_balance(votes):
    """The gradient of the log posterior, written out vote by vote, is zero at the maximum."""
    own = fit(votes)
    x = dict(zip(NAMES, (own.elo - elo.MEAN) / elo.SCALE, strict=True))
    gradient = dict(zip(NAMES, -(own.elo - MEAN) / elo.SCALE * (elo.SCALE / DEVIATION) ** 2, strict=True))
    for (left, right), outcome in votes:
        surprise = elo.SCORES[outcome] - 1 / (1 + np.exp(x[right] - x[left]))
        gradient[left] += surprise
        gradient[right] -= surprise
    assert list(gradient.values()) == pytest.approx([0] * 4, abs=1e-6)


@given(ballots, st.randoms(use_true_random=False))
def test_order_and_sides_do_not_matter_and_votes_never_widen_an_interval(votes, random):
    own = fit(votes)
    swapped = {"left": "right", "right": "left"}
    other = [((right, left), swapped.get(outcome, outcome)) for (left, right), outcome in votes]
    random.shuffle(other)
    assert fit(other).elo == pytest.approx(own.elo)
    assert (own.se <= DEVIATION + 1e-9).all()
    assert ((own.lower < own.elo) & (own.elo < own.upper)).all()


def test_many_votes_outweigh_the_public_rating():
    many = [(("d", "a"), "left")] * 300 + [(("d", "a"), "right")] * 100
    own = dict(zip(NAMES, fit(many).elo, strict=True))
    assert own["d"] - own["a"] == pytest.approx(elo.SCALE * np.log(3), abs=8)  # three to one, whatever others think
    assert own["b"] == pytest.approx(1000)


def test_the_prior_of_a_model_is_wider_than_its_public_error():
    assert personal.prior(1200, 30) == (1200, pytest.approx(np.hypot(30, personal.TASTE)))
    assert personal.prior(None, None) == (1000, personal.UNRATED)
    assert personal.prior(1300, float("inf")) == (1300, personal.UNRATED)


def test_places_of_ones_own_hold_where_tastes_are_as_far_from_the_public_as_is_assumed():
    """Of forty votes on eight models: all places of nineteen voters in twenty at once, and the intervals."""
    right, inside = [], []
    for seed in range(60):
        rng = np.random.default_rng([seed, 8])
        public = elo.MEAN + rng.normal(0, 60, 8)
        taste = public + rng.normal(0, personal.TASTE, 8)
        left = rng.integers(0, 8, 40)
        other = (left + rng.integers(1, 8, 40)) % 8
        won = rng.random(40) < 1 / (1 + 10 ** ((taste[other] - taste[left]) / 400))
        cells = elo.Cells(tuple("abcdefgh"), left, other, won.astype(np.float64), np.ones(40))
        own = personal.fit(cells, public, np.full(8, personal.TASTE))
        rank = 1 + (taste[None, :] > taste[:, None]).sum(1)
        right.append(all(place.low <= true <= place.high for place, true in zip(own.places, rank, strict=True)))
        inside += ((own.lower <= taste) & (taste <= own.upper)).tolist()
    assert np.mean(right) >= 0.95
    assert np.mean(inside) >= 0.93
