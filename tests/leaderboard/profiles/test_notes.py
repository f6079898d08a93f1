"""What stands beside a model's chart claims no more than votes have shown."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from leaderboard.board.standings import Standing
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Rating
from leaderboard.profiles import notes
from leaderboard.profiles.competitions import CompetitionScore, TagScore
from leaderboard.rating import intervals


def row(name, elo, price, *, places=(1, 3), status="usable"):
    rating = Rating(elo=elo, rank_low=places[0], rank_high=places[1], placed=3)
    return BoardRow(is_placed=True, slug=name.lower(), name=name, elo=elo, votes=400, status=status,
                    price=None if price is None else Decimal(price), standing=Standing(rating, 3))  # fmt: skip


def said(*rows, uses=()):
    return [(note.claim, note.evidence) for note in notes.of_rated("own", rows, None, uses)]


OWN = row("Own", 1000, "0.04", places=(2, 3))


@pytest.mark.parametrize(
    ("other", "note"),
    [
        (row("Kite", 1030, "0.02", places=(1, 1)), ("Better for less: Kite", "$0.02 against $0.04, 30 Elo more.")),
        (row("Kite", 1030, "0.04", places=(1, 1)),
         ("Better at the same price: Kite", "$0.04 against $0.04, 30 Elo more.")),
        (row("Kite", 1030, "0.02", places=(1, 2)),
         ("Level for less: Kite", "$0.02 against $0.04, votes cannot distinguish the two.")),
        (row("Kite", 1030, "0.05", places=(1, 1)),
         ("Highest rated at its price", "Nothing that costs $0.04 or less rates higher.")),
        (row("Kite", 1030, "0.02", places=(1, 1), status="provisional"),
         ("Nothing settled rates higher at its price", "1 unsettled model that costs $0.04 or less does.")),
        (row("Kite", 970, "0.02"), ("Highest rated at its price", "Nothing that costs $0.04 or less rates higher.")),
    ],
)  # fmt: skip
def test_a_cheaper_model_is_better_only_where_their_places_do_not_touch(other, note):
    assert said(OWN, other) == [note]


def test_of_several_that_rate_higher_the_one_that_is_surely_better_is_named():
    level, better = row("Level", 1050, "0.02", places=(1, 3)), row("Better", 1030, "0.03", places=(1, 1))
    assert said(OWN, level, better)[0][0] == "Better for less: Better"


def test_an_unsettled_rating_says_so():
    own = row("Own", 1000, "0.04", status="provisional")
    assert said(own)[0][1].endswith("rates higher – as far as unsettled ratings tell.")


@pytest.mark.parametrize(
    ("own", "other", "bargain"),
    [
        ("usable", "usable", "$0.02 against $0.06; expected to win 4 of 10 against it."),
        ("provisional", "usable", None), ("usable", "provisional", None),
    ],
)  # fmt: skip
def test_a_bargain_is_between_two_ratings_that_can_be_used(own, other, bargain):
    shown = dict(said(row("Own", 1000, "0.06", status=own), row("Kite", 930, "0.02", status=other)))
    assert shown.get("Bargain: Kite") == bargain


@pytest.mark.parametrize(("price", "elo"), [("0.03", 930), ("0.02", 800), ("0.02", 1010)])
def test_what_costs_more_than_a_third_or_hardly_ever_wins_is_no_bargain(price, elo):
    assert "Bargain: Kite" not in dict(said(row("Own", 1000, "0.06"), row("Kite", elo, price)))


def use(tag, won, votes):
    return TagScore(tag, 3, CompetitionScore(won=won, lost=votes - won))


def test_uses_differ_where_votes_show_it():
    evidence = "posters: 70% of 100 votes; logos: 40% of 100."
    assert said(row("Own", 1000, None), uses=[use("posters", 70, 100), use("logos", 40, 100)]) == [
        ("Best at posters, weakest at logos", evidence)
    ]
    near = [use("posters", 14, 20), use("logos", 8, 20)]
    assert said(row("Own", 1000, None), uses=near)[0][0] == "No use stands out"
    assert said(row("Own", 1000, None), uses=near[:1]) == []


@pytest.mark.parametrize("count", [2, 12])
def test_equal_uses_are_hardly_ever_called_different(count):
    rng, false = np.random.default_rng(4), 0
    for _ in range(300):
        uses = [use(f"tag {n}", int(rng.binomial(60, 0.5)), 60) for n in range(count)]
        uses.sort(key=lambda one: -one.score.points)
        false += said(row("Own", 1000, None), uses=uses)[0][0] != "No use stands out"
    assert false <= 0.07 * 300  # 5 %, with the noise of so many


def test_an_unrated_model_is_held_against_what_is_rated_at_its_price_and_what_a_rating_costs():
    shown = notes.of_unrated([row("Kite", 1030, "0.02"), row("Dear", 1100, "0.05")], 0.03, 120, [("Bird", "/b/", 0.01)])
    assert [(note.claim, note.evidence) for note in shown] == [
        ("Rated at this price: up to 1030", "Kite, $0.02, tied 1–3 of 3."),
        (f"A usable rating takes at least {intervals.USABLE_VOTES} votes", "and 120 images: about $3.60."),
        ("Cheaper with commercial rights", "Bird $0.01."),
    ]
