"""Sentences about a board: which holds, and its exact words."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.rating import number_words, verdict
from leaderboard.rating.place import Place
from leaderboard.rating.verdict import Contender, Finding, find


def board(*elo, se=8.0):
    """Independent errors: the difference of two ratings has √2 times their standard error."""
    return np.array(elo, np.float64), np.diag(np.full(len(elo), se**2))


KNOWN = {"voters": 200.0, "prompts": 60.0}


def test_a_leader_is_named_where_every_gap_is_beyond_its_error():
    elo, covariance = board(1030, 1000, 1000, 980)
    assert find(elo, covariance, **KNOWN) == Finding("lead", (0,))
    elo[0] = 1000 + 1.95 * 8 * np.sqrt(2)
    assert find(elo, covariance, **KNOWN).kind == "open"


def test_two_or_three_lead_where_each_of_them_is_ahead_of_each_of_the_rest():
    assert find(*board(1040, 1035, 980, 975), **KNOWN) == Finding("lead", (0, 1))
    assert find(*board(980, 1040, 1035, 1030, 960), **KNOWN) == Finding("lead", (1, 2, 3))


def test_a_leader_has_to_lead_twice():
    elo, covariance = board(1023.5, 1000, 1000, 970)
    assert find(elo, covariance, **KNOWN, confirmed=[0]).kind == "lead"
    assert find(elo, covariance, **KNOWN, confirmed=[1]) == Finding("open", (0, 1, 2))
    assert find(elo, covariance, **KNOWN, confirmed=[]).kind == "open"


def test_first_place_is_open_between_those_whose_rank_interval_starts_at_one():
    assert find(*board(1012, 1005, 1000, 998, 940), **KNOWN) == Finding("open", (0, 1, 2, 3))


def test_where_no_pair_is_apart_all_lie_within_a_bound():
    elo, covariance = board(1004, 1000, 996)
    finding = find(elo, covariance, **KNOWN)
    assert finding.kind == "level"
    assert finding.within == pytest.approx(8 + 2.74 * 8 * np.sqrt(2), abs=1)  # the largest gap, and max-t errors


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"voters": 5.9}, "voters"),
        ({"prompts": 5.9}, "prompts"),
        ({"se": 31.0}, "votes"),
        ({"elo": (1100, 900)}, "models"),
    ],
)
def test_it_is_too_early_while_too_little_is_known(change, lacking):
    known = KNOWN | {name: value for name, value in change.items() if name in KNOWN}
    elo, covariance = board(*change.get("elo", (1200, 1000, 900, 800)), se=change.get("se", 8.0))
    assert find(elo, covariance, **known) == Finding("early", lacking=lacking)


def test_unknown_voters_and_prompts_are_no_condition_and_no_votes_is_no_finding():
    assert find(*board(1200, 1000, 900), voters=None, prompts=None).kind == "lead"
    assert find(*board(), voters=0.0, prompts=0.0).kind == "no votes"


def test_models_without_an_interval_are_in_no_sentence():
    elo, covariance = board(1200, 1040, 1000, 960)
    covariance[0, 0] = np.inf
    assert find(elo, covariance, **KNOWN) == Finding("lead", (1,))


def contender(name, elo=1000.0, low=1, high=4, of=4, best=0.25, **facts):
    return Contender(name, elo, Place(low, high, of, best), **facts)


A = contender("Ash", 1100, 1, 1, best=0.98, price=0.10, is_settled=True)
B = contender("Birch", 1040, 2, 3, best=0.02, price=0.02, is_settled=True)
C = contender("Cedar", 1030, 2, 3, best=0.0, price=0.001)
D = contender("Dogwood", 900, 4, 4, best=0.0, price=0.002, is_settled=True)
BOARD = [A, B, C, D]


@pytest.mark.parametrize(
    ("finding", "more", "claim", "value"),
    [
        (Finding("no votes"), None, "No votes yet.", "The first 30 draw the first picture."),
        (Finding("lead", (0,)), None, "Ash leads (98% sure).", "Birch costs a fifth and still wins 4 of 10 against it."),  # noqa: E501
        (Finding("lead", (0, 1)), None, "Ash and Birch lead; the other 2 are behind both.", ""),
        (Finding("lead", (0, 1, 2)), None, "Ash, Birch and Cedar lead; the other 1 is behind all three.", ""),
        (
            Finding("open", (0, 1)), 1127, "Ash or Birch is first.",
            "About 1,200 more votes between the first two would separate them.",
        ),
        (
            Finding("level", (0, 1, 2, 3), 41.6), None, "No model can be distinguished from another yet: all within 42 Elo.",  # noqa: E501
            "How many votes it takes cannot be foreseen yet.",
        ),
        (
            Finding("early", lacking="votes"), 90, "Too early to say which model is first.",
            "About 90 more votes between the first two would separate them.",
        ),
        (
            Finding("early", lacking="prompts"), 90, "Too early to say which model is first.",
            "5 prompts: more prompts would help more than more votes.",
        ),
        (
            Finding("open", (0,)), None, "Ash is ahead, to be confirmed by the next daily snapshot.",
            "How many votes it takes cannot be foreseen yet.",
        ),
    ],
)  # fmt: skip
def test_the_words_about_a_board(finding, more, claim, value):
    assert verdict.of_board(finding, BOARD, more_votes=more, voters=9, prompts=5) == (claim, value)


def test_a_board_of_equals_is_too_early_for_all():
    tied = [contender(name) for name in "ABCD"]
    assert verdict.of_board(Finding("early", lacking="votes"), tied).claim == "Too early to say: all 4 could be first."
    five = [
        contender("A", high=5, of=6, best=0.5), *(contender(name, high=5, of=6, best=0.1) for name in "BCDE"),
        contender("F", 900, 6, 6, 6, 0.0),
    ]  # fmt: skip
    assert (
        verdict.of_board(Finding("open", (0, 1, 2, 3, 4)), five).claim == "5 of 6 could be first; A most likely (50%)."
    )


def test_a_provisional_model_is_never_named_as_first():
    ash = contender("Ash", 1100, 1, 1, best=0.98, is_provisional=True)
    others = [contender(name, low=2) for name in "BCD"]
    for finding, claim in (
        (Finding("lead", (0,)), "Too early to name the first: one of 4 is ahead, on too few votes."),
        (Finding("open", (0, 1)), "Too early to name the first: 2 of 4 could be, on too few votes."),
        (Finding("open", (0, 1, 2, 3)), "4 of 4 could be first."),
    ):
        assert verdict.of_board(finding, [ash, *others]).claim == claim
    also_first = contender("B", low=1)  # by the wider bounds of places, that the rows show
    claim = "Too early to name the first: 2 of 3 could be, on too few votes."
    assert verdict.of_board(Finding("lead", (0,)), [ash, also_first, others[0]]).claim == claim
    filtered = verdict.of_filter("Under $0.05", Finding("lead", (0,)), [ash, *others])
    assert filtered.claim == "Under $0.05: too early to name the best of 4; one is ahead, on too few votes."


def test_a_bargain_is_settled_cheap_and_still_wins():
    assert verdict.bargain([A], [A, C, D]) == ""  # Cedar is not settled, Dogwood loses too often
    assert verdict.bargain([contender("Free", 1100)], BOARD) == ""  # its price is not known


@pytest.mark.parametrize(
    ("place", "level", "claim"),
    [
        (Place(1, 1, 31, 0.981), [], "First of 31 in text to image (98% sure): ahead of all the others."),
        (
            Place(1, 2, 31, 0.6),
            ["Birch"],
            "First or second of 31 in text to image: level with Birch, ahead of all the others.",
        ),
        (Place(4, 5, 31, 0), [], "4th to 5th of 31 in text to image: level with one other."),
        (Place(3, 8, 31, 0), [], "3rd to 8th of 31 in text to image: level with 5 others."),
        (Place(22, 31, 31, 0), [], "22nd to 31st of 31 in text to image: level with 9 others, behind all the others."),
        (Place(11, 11, 31, 0), [], "11th of 31 in text to image: level with none."),
        (Place(1, 8, 8, 0.2), [], "Too early: tied with all 8 in text to image."),
        (Place.unknown(), [], "Not rated yet."),
    ],
)
def test_the_words_about_a_model(place, level, claim):
    assert verdict.of_model(place, "text to image", level).claim == claim


def test_the_words_about_a_model_without_votes():
    assert (
        verdict.of_unrated(price_rank=4, priced=47).claim
        == "Fourth cheapest of 47 priced models; nobody has rated it here yet."
    )
    assert verdict.of_unrated(price_rank=1, priced=47).claim.startswith("Cheapest of 47")
    assert verdict.of_unrated(price_rank=11, priced=47, speed_rank=2, timed=9).claim.startswith("Second fastest of 9")
    assert verdict.of_unrated(released="March 2026").claim == "Released March 2026; nobody has rated it here yet."
    assert verdict.of_unrated().claim == "Nobody has rated it here yet."


@pytest.mark.parametrize(
    ("numbers", "claim"),
    [
        ({"share": 0.61, "lower": 0.55, "upper": 0.66, "votes": 90}, "Ash wins 6 of 10 and costs five times as much."),
        ({"share": 0.40, "lower": 0.35, "upper": 0.45, "votes": 90}, "Birch: better and cheaper."),
        ({"share": 0.51, "lower": 0.44, "upper": 0.58, "votes": 90}, "Votes see no difference (51%, 44–58); Birch costs less."),  # noqa: E501
        ({"share": 0.51, "lower": 0.44, "upper": 0.58, "votes": 12, "more_votes": 80},
         "Too early: 12 votes between them. About 80 more would decide."),
        ({"share": 0.7}, "Too early: no vote between them."),
        ({"rated": (True, False)}, "Only price and rights can be compared: nobody has rated Birch."),
        ({"rated": (False, False)}, "Only price and rights can be compared: nobody has rated Ash or Birch."),
    ],
)  # fmt: skip
def test_the_words_about_a_pair(numbers, claim):
    assert verdict.of_pair(A, B, **numbers).claim == claim


def test_the_words_about_a_choice_and_a_filter():
    assert verdict.of_choice(A, fitting=4, rated=3, is_clear=True).claim == "Ash: best by votes of the 4 that fit."
    assert verdict.of_choice(B, fitting=4, rated=3, usable_price="$0.02").claim == (
        "Birch, for now: cheapest per usable image ($0.02) of the 3 rated models that fit."
    )
    assert verdict.of_choice(C, fitting=1, rated=0).claim.startswith(
        "Cedar is the cheapest that fits; nobody has rated it"
    )
    assert verdict.of_choice(None, fitting=0, rated=0, without=(3, "2 seconds")).claim == (
        "Nothing fits. 3 do without the limit of 2 seconds."
    )
    assert verdict.of_filter("Under $0.05", Finding("lead", (0,)), [B, C, D], best=0.97).claim == (
        "Under $0.05, Birch is best of 3 (97% sure)."
    )
    assert (
        verdict.of_filter("Under $0.05", Finding("open", (0, 1)), [B, C, D]).claim
        == "Under $0.05, Birch or Cedar is best of 3."
    )
    assert verdict.of_filter("Under $0.05", Finding("level", (0, 1, 2)), [B, C, D]).claim == (
        "Under $0.05: too early, any of 3 could be best."
    )


def test_a_liking_for_a_side_is_named_only_where_there_is_one():
    assert verdict.of_side(2.0, 1.5) == ("Left and right: no liking for a side found.", "95% interval −1 to 5 Elo.")
    assert verdict.of_side(-6.0, 1.5).claim == "Left and right: the right image wins more often than chance."
    assert verdict.of_side(0.0, 0.0).claim == "Left and right: no liking for a side found."  # nothing but ties
    assert verdict.of_side(None, None).claim == "Left and right: not known."


def test_numbers_as_words():
    assert [number_words.rounded(n) for n in (7, 99, 1_127, 14_999)] == [7, 99, 1_200, 15_000]
    assert [number_words.fraction(1 / n) for n in range(2, 11)] == [
        "half", "a third", "a quarter", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth", "a tenth",
    ]  # fmt: skip
    assert [number_words.fraction(part) for part in (0.0952, 0.0953, 0.21, 0.79, 0.8, 0.99)] == [
        "less than a tenth", "a tenth", "a fifth", "as much", "as much", "as much",
    ]  # fmt: skip
    assert [number_words.times(n) for n in (1.4, 1.89, 1.9, *range(3, 12), 23.4)] == [
        "1.4 times", "1.9 times", "twice", "three times", "four times", "five times", "six times", "seven times",
        "eight times", "nine times", "ten times", "11 times", "23 times",
    ]  # fmt: skip
    assert [number_words.ordinal(n) for n in (1, 2, 3, 4, 11, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "21st",
        "112th",
    ]
