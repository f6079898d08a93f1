"""What moved between two looks at a board."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from leaderboard.week.movements import Mark, moves

boards = some.dictionaries(
    some.sampled_from("abcdef"),
    some.builds(Mark, rank=some.integers(1, 6), elo=some.floats(800, 1200), se=some.floats(0, 40)),
)


@given(boards)
def test_a_board_that_stands_still_moves_nothing(board):
    assert moves(board, board) == []


@given(boards, boards)
def test_every_arrival_and_departure_is_reported_and_turning_time_round_turns_the_moves(before, now):
    there, back = moves(before, now), moves(now, before)
    assert {move.model for move in there if move.kind == "new"} == now.keys() - before.keys()
    assert {move.model for move in there if move.kind == "gone"} == before.keys() - now.keys()
    assert {move.model: move.ranks for move in there} == {move.model: -move.ranks for move in back}
    assert {move.model: move.is_clear for move in there} == {move.model: move.is_clear for move in back}


def test_a_model_without_a_place_gains_and_loses_none():
    """Without an interval the number stored as its rank means nothing."""
    unranked, ranked = Mark(1, 1000, float("inf")), Mark(5, 1000, 10)
    for before, now in ((unranked, ranked), (ranked, unranked), (unranked, unranked)):
        assert all(move.ranks == 0 for move in moves({"a": before}, {"a": now}))


def test_a_change_within_the_noise_is_not_clear_and_one_beyond_it_is():
    (noise,) = moves({"a": Mark(2, 1000, 10)}, {"a": Mark(1, 1020, 10)})
    (clear,) = moves({"a": Mark(1, 1000, 10)}, {"a": Mark(1, 1030, 10)})
    assert not noise.is_clear
    assert clear.is_clear
    assert moves({"a": Mark(1, 1000, 10)}, {"a": Mark(1, 1020, 10)}) == []  # neither rank nor, surely, Elo


def test_a_change_is_judged_by_the_error_that_newer_votes_took_away():
    """The older votes are in both ratings: 1.96 · 1.5 · √(10² − 8²) = 17.6, where two independent errors say 39."""
    before, now = Mark(1, 1000, 15, plain_se=10), Mark(1, 1017, 12, plain_se=8)
    assert moves({"a": before}, {"a": now}) == []
    (clear,) = moves({"a": before}, {"a": replace(now, elo=1018)})
    assert clear.is_clear
    assert moves({"a": before}, {"a": replace(now, elo=1018, plain_se=math.nan)}) == []


def test_models_that_move_together_have_not_moved():
    before = {name: Mark(1, 1000, 5) for name in "abcd"}
    now = {name: Mark(1, 1030, 5) for name in "abcd"}
    assert moves(before, now) == []
    (alone,) = moves(before, now | {"d": Mark(1, 1000, 5)})
    assert (alone.model, alone.elo, alone.is_clear) == ("d", 0.0, True)
