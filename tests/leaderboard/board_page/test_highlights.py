"""What the front page says of prices, from rows by hand."""

from __future__ import annotations

from decimal import Decimal

from leaderboard.board.standings import Standing
from leaderboard.board_page.filters import BoardRow
from leaderboard.board_page.highlights import price_notes
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
