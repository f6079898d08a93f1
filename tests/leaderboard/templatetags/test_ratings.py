"""Numbers of ratings as the templates' filters write them, with every edge at which they are written differently."""

from __future__ import annotations

import math

import pytest

from leaderboard.models import Rating
from leaderboard.rating.place import Place
from leaderboard.templatetags import ratings
from leaderboard.templatetags.ratings import Bar


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (ratings.signed(1.63), "+1.6"),
        (ratings.signed(0), "+0.0"),
        (ratings.signed(-0.44), "−0.4"),
        (ratings.whole_signed(0.49), "±0"),
        (ratings.whole_signed(-0.5), "±0"),
        (ratings.whole_signed(0.51), "+1"),
        (ratings.whole_signed(-12.4), "−12"),
        (ratings.chance(0.005), "<1%"),  # 50 of 10,000 draws: Python rounds a half to the even number, 0
        (ratings.chance(0.0051), "1%"),
        (ratings.chance(0.42), "42%"),
        (ratings.chance(0.9949), "99%"),
        (ratings.chance(0.995), ">99%"),
        (ratings.share_of(1, 3), "33%"),
        (ratings.share_of(1, 10), "10%"),
        (ratings.share_of(999, 10_000), "10%"),
        (ratings.share_of(1, 28), "3.6%"),
        (ratings.share_of(2, 30_000), "0.0067%"),
        (ratings.share_of(0, 0), "0%"),
    ],
)
def test_numbers_of_ratings(written, text):
    assert written == text


@pytest.mark.parametrize(
    ("lower", "upper", "text"), [(975, 1040, "40"), (960, 1025, "40"), (-math.inf, 1010, "∞"), (990, math.inf, "∞")]
)
def test_the_margin_is_the_wider_half_of_the_interval(lower, upper, text):
    assert ratings.half_width(Rating(elo=1000, lower=lower, upper=upper)) == text


@pytest.mark.parametrize(
    ("low", "high", "drawn"),
    [
        (900, 1100, Bar(45, 15, 55, 50)),
        (1000, 1200, Bar(0, 10, 5)),  # the average is where the axis ends
        (800, 1000, Bar(95, 5, 100)),
        (1012, 1028, Bar(0, 50, 0)),
        (1000, 1000, Bar(0, 100, 50)),
        (-math.inf, 1000, Bar(0, 100, 50)),
    ],
)
def test_an_interval_is_drawn_between_the_ends_of_its_board(low, high, drawn):
    assert ratings.bar(Rating(elo=1010, lower=990, upper=1020), low, high) == drawn


@pytest.mark.parametrize(
    ("elo", "low", "high", "at"),
    [(1050, 1000, 1200, 25), (990, 1000, 1200, 0), (1300, 1000, 1200, 100), (1, 5, 5, 50), (1, 0, math.inf, 50)],
)
def test_an_elo_stands_between_the_ends_of_its_board(elo, low, high, at):
    assert ratings.mark(elo, low, high) == at


def test_a_place_in_a_cell_has_two_lines():
    assert ratings.place(Place(2, 5, 9), "cell") == '<span class="place">2–5</span> <small>of 9</small>'
    assert ratings.place(Place(2, 5, 9)) == "2–5 of 9"
