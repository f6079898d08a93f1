"""What moved between two looks at a board."""

from __future__ import annotations

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
