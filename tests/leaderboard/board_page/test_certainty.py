"""How sure a board is, in three sentences: each number is the one that it names."""

from __future__ import annotations

import math

import pytest

from arena.models import Category
from leaderboard.board.standings import Standing
from leaderboard.board_page import certainty
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Board, Rating

IMPORTED = Category(source_name="A study")


def row(half_width: float, votes_to_next: int | None = None, **limits: float) -> BoardRow:
    known = math.isfinite(half_width)
    rating = Rating(
        elo=1000, lower=1000 - half_width, upper=1000 + half_width, votes=90, votes_to_next=votes_to_next,
        rank_low=1 if known else None, rank_high=2 if known else None, placed=2,
        half_width_from_votes=limits.get("votes"), half_width_from_prompts=limits.get("prompts"),
    )  # fmt: skip
    return BoardRow(is_placed=known, slug="kite", name="Kite", elo=1000, votes=90, status="usable", best=0.5,
                    standing=Standing(rating, 2))  # fmt: skip


def said(board: Board, *rows: BoardRow) -> tuple[certainty.Certainty, certainty.Certainty]:
    basis, top, left_out = certainty.of_board(IMPORTED, board, rows)
    assert left_out.text == "From A study; no rule of ours left any out."
    return basis, top


def test_what_a_board_rests_on():
    basis, _ = said(Board(votes=4_000, voters=120, prompts=31), row(9.4), row(14.6), row(12), row(math.inf))
    assert basis.title == "4,000 votes, 120 voters, 31 prompts"
    assert basis.text == "Each Elo is within ±9 to ±15, 19 times in 20."


def test_who_voted_and_how_sure_it_is_may_not_be_known():
    basis, _ = said(Board(votes=1), row(math.inf))
    assert (basis.title, basis.text) == ("1 vote", "No model has an interval yet. Who voted is not known.")


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ([(8.0, 21.0), (9.0, 30.0), (20.0, 40.0)], "(±30) than other votes on the same ones (±9)"),
        ([(8.0, math.inf)], "(by more than can be said) than other votes on the same ones (±8)"),
        ([(9.0, 8.0)], ""),
    ],
)
def test_other_prompts_are_named_where_they_limit_more_than_votes(limits, says):
    rows = [row(20, votes=votes, prompts=prompts) for votes, prompts in limits]
    basis, _ = said(Board(votes=900, voters=50, prompts=12), *rows)
    assert basis.text.partition("19 times in 20.")[2] == (
        f" Other prompts could move the ratings further {says}." if says else ""
    )


def test_what_would_change_the_top():
    board = Board(votes=2_000, votes_to_flip=30, votes_added_to_flip=47, side_effect=20.0, side_effect_se=4.0)
    _, top = said(board, row(9, votes_to_next=1_400), row(9, votes_to_next=80))
    assert top.text == (
        "Without 30 particular votes, 1.5% of all, another model would be highest. So it would with 47 added votes "
        "for it against the leader. About 1,400 more votes between the first two would separate them in four of five "
        "cases. Left and right: the left image wins more often than chance."
    )


def test_where_no_vote_taken_away_would_change_the_top_added_ones_stand_by_themselves():
    _, top = said(Board(votes=300, votes_added_to_flip=1), row(9))
    assert top.text == "With 1 added vote against the leader another model would be highest."


def test_of_the_top_nothing_is_said_that_nobody_knows():
    _, top = said(Board(votes=2_000), row(9))
    assert top.text == "It cannot be said yet."
    assert certainty.of_board(IMPORTED, None, [row(9)]) == certainty.of_board(IMPORTED, Board(), []) == []
