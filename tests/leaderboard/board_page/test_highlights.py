"""What the front page says of prices, from rows by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from leaderboard.board.standings import Standing
from leaderboard.board_page import highlights
from leaderboard.board_page.filters import BoardRow
from leaderboard.board_page.highlights import ClosePair, price_notes
from leaderboard.models import Rating


def row(name, elo, price, *, places=(1, 2), status="usable"):
    rating = Rating(elo=elo, lower=elo - 9, upper=elo + 9, rank_low=places[0], rank_high=places[1], placed=4)
    return BoardRow(is_placed=True, slug=name.lower(), name=name, elo=elo, votes=400, status=status,
                    price=Decimal(price), standing=Standing(rating, 4))  # fmt: skip


ASH, FIR, OAK, YEW = (
    row("Ash", 900, "0.01"),
    row("Fir", 1000, "0.02"),
    row("Oak", 1100, "0.04"),
    row("Yew", 1050, "0.09"),
)


def test_dearer_models_that_rate_no_higher_are_named_and_those_rated_highest_for_their_price_counted():
    assert price_notes([ASH, FIR, OAK, YEW]) == [
        ("Past $0.04 no gain is shown", "Yew costs more than Oak, rated no higher."),
        ("3 models are rated highest for their price", "From Ash ($0.01) to Oak ($0.04)."),
    ]


def test_where_the_dearest_rates_highest_nothing_is_said_of_a_limit():
    assert price_notes([ASH, FIR, row("Elm", 1200, "0.10")]) == [
        ("3 models are rated highest for their price", "From Ash ($0.01) to Elm ($0.10).")
    ]


def test_unsettled_ratings_draw_no_line():
    rows = [row(name, elo, price, status="provisional") for name, elo, price in
            (("Ash", 900, "0.01"), ("Fir", 1000, "0.03"), ("Oak", 1100, "0.02"))]  # fmt: skip
    no_line, unsettled = price_notes(rows)
    assert no_line == (
        "No line yet", "It takes settled ratings. Oak is highest so far ($0.02), Ash the cheapest ($0.01)."
    )  # fmt: skip
    assert unsettled[0] == "3 models are unsettled"


def test_a_board_of_equals_says_that_votes_separate_nobody_and_two_prices_say_nothing():
    equal = [
        row(name, 1000, price, places=(1, 4)) for name, price in (("Ash", "0.01"), ("Fir", "0.02"), ("Oak", "0.03"))
    ]
    assert price_notes(equal)[0][0] == "The bars overlap everywhere"
    assert price_notes([ASH, FIR]) == []


def test_of_two_at_one_price_only_the_higher_is_rated_highest_for_it():
    twins = [row("Ash", 900, "0.01"), row("Elm", 950, "0.01"), row("Oak", 1100, "0.04")]
    assert price_notes(twins)[-1] == (
        "2 models are rated highest for their price", "From Elm ($0.01) to Oak ($0.04)."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("share", "votes", "is_good"),
    [(None, 500, False), (1.0, 0, False), (0.9, 500, True), (0.899, 500, False), (0.9, 140, False), (1.0, 20, False),
     (1.0, 22, True)],
)  # fmt: skip
def test_a_good_one_is_usable_nine_times_in_ten_and_surely_more_than_eight(share, votes, is_good):
    assert highlights._is_good(replace(ASH, keeper_rate=share, votes=votes)) is is_good


@pytest.mark.parametrize(("share", "other"), [(0.5, 0.5), (0.506, 0.49), (0.126, 0.87), (0.124, 0.88)])
def test_the_shares_of_a_close_pair_add_up_as_they_are_shown(share, other):
    assert ClosePair(None, None, share, 10).other_share == pytest.approx(other)


def test_the_fastest_good_one_is_said_with_its_time_and_how_often_it_is_usable():
    quick = replace(ASH, seconds=1.26, keeper_rate=0.5)
    good = replace(OAK, seconds=3.14, keeper_rate=0.93, votes=1400)
    answer = highlights._fast([good, quick, FIR])
    assert answer is not None
    assert (answer.answer, answer.fact, answer.reason) == (
        "Oak", "3.1 s · Elo 1100 ±9 · 1–2 of 4", "Usable 9 times in 10."
    )  # fmt: skip
    unproven = highlights._fast([replace(good, status="provisional"), quick])
    assert unproven is not None
    assert (unproven.answer, unproven.fact, unproven.reason) == (
        "Ash, if it proves good", "1.3 s · 400 votes", "Usable 5 times in 10. Not shown by votes yet."
    )  # fmt: skip
    assert highlights._fast([ASH]) is None
