"""How a vote stands to those of others: every case of the table, in its words."""

from __future__ import annotations

import pytest

from leaderboard.voter import crowd
from leaderboard.voter.crowd import Others

FEW, THIRD, BAD = Others(1, 0, 0, 1), Others(8, 0, 0, 13), Others(0, 0, 2, 5)


@pytest.mark.parametrize(
    ("outcome", "others", "expected", "headline", "line"),
    [
        ("left", Others(17, 0, 0, 4), 0.5, "You agree with most.", "17 of 21 others chose A, as you did."),
        (
            "left",
            Others(8, 0, 0, 13),
            0.9,
            "You see it differently.",
            "8 of 21 others chose A, as you did. 13 chose B.",
        ),
        ("right", THIRD, None, "You agree with most.", "13 of 21 others chose B, as you did."),
        ("left", Others(11, 0, 0, 10), 0.9, "Others are split.", "11 of 21 others chose A, as you did. 10 chose B."),
        (
            "right",
            Others(0, 0, 2, 5),
            0.9,
            "You agree with most.",
            "5 of 7 others chose B, as you did. 2 found both bad.",
        ),
        ("left", FEW, 0.7, "You chose the favourite.", "2 others so far: one A, one B."),
        ("right", FEW, 0.7, "You chose the outsider.", "2 others so far: one A, one B."),
        ("left", Others(2, 0, 0, 1), 0.7, "You chose the favourite.", "3 others so far: two A, one B."),
        ("left", Others(0, 1, 0, 0), 0.52, "Nobody could call this one.", "1 other so far: one for a tie."),
        ("left", Others(0, 0, 0, 0), 0.7, "You chose the favourite.", "You are the first to vote on this pair."),
        ("left", Others(0, 0, 0, 0), None, "You chose A.", "First vote on these two."),
        ("right", FEW, None, "You chose B.", "2 others so far: one A, one B."),
        ("tie", Others(17, 0, 0, 4), 0.5, "A tie, you say.", "17 of 21 others chose A. 4 chose B."),
        ("both_bad", FEW, 0.7, "Neither, you say.", "2 others so far: one A, one B."),
    ],
)
def test_headline_and_line_say_how_a_vote_stands(outcome, others, expected, headline, line):
    shown = crowd.of(outcome, others, expected)
    assert (crowd.headline(outcome, shown), crowd.line(outcome, shown, others)) == (headline, line)


def test_ties_count_half_for_each_and_shares_make_a_hundred():
    shown = crowd.of("left", Others(4, 2, 3, 1), None)
    assert (shown.basis, shown.left, shown.right, shown.votes, shown.stand) == ("votes", 71, 29, 10, "with")


def test_an_expectation_is_never_certain_and_gives_way_to_five_votes():
    assert crowd.of("left", Others(0, 0, 0, 4), 0.9999).left == 99
    assert crowd.of("left", Others(0, 0, 0, 4), 0.98).left == 98
    assert crowd.of("left", Others(0, 0, 0, 5), 0.9999) == crowd.Crowd("votes", 0, 5, "against")
    assert crowd.of("left", Others(0, 0, 6, 0), 0.6).basis == "expected"  # nobody preferred anything


@pytest.mark.parametrize(("share", "stand"), [(44, "against"), (45, "split"), (55, "split"), (56, "with")])
def test_within_five_per_cent_of_half_nobody_is_the_majority(share, stand):
    for others, expected in ((Others(share, 0, 0, 100 - share), None), (Others(0, 0, 0, 0), share / 100)):
        shown = crowd.of("left", others, expected)
        assert (shown.left, shown.stand) == (share, stand)


def test_without_takes_one_vote_away_and_never_below_none():
    assert crowd.without(Others(1, 1, 1, 1), "tie") == Others(1, 0, 1, 1)
    assert crowd.without(Others(0, 1, 1, 1), "left") == Others(0, 1, 1, 1)
    assert crowd.without(FEW, "") == FEW
