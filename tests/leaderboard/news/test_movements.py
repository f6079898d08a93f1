"""What moved between two looks at a board."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.worlds import Arena, World
from leaderboard.news.movements import Mark, moves
from leaderboard.rating import elo, intervals
from leaderboard.rating.place import Place


def place(low: int) -> Place:
    return Place(low, 6, 6)


boards = some.dictionaries(
    some.sampled_from("abcdef"),
    some.builds(Mark, elo=some.floats(800, 1200), se=some.floats(0, 40), place=some.integers(1, 6).map(place)),
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
    unplaced, placed = Mark(1000, float("inf")), Mark(1000, 10, place(5))
    for before, now in ((unplaced, placed), (placed, unplaced), (unplaced, unplaced)):
        assert all(move.ranks == 0 for move in moves({"a": before}, {"a": now}))


def test_a_change_within_the_noise_is_not_clear_and_one_beyond_it_is():
    (noise,) = moves({"a": Mark(1000, 10, place(2))}, {"a": Mark(1020, 10, place(1))})
    (clear,) = moves({"a": Mark(1000, 10)}, {"a": Mark(1030, 10)})
    assert not noise.is_clear
    assert noise.ranks == 1
    assert clear.is_clear
    assert moves({"a": Mark(1000, 10)}, {"a": Mark(1020, 10)}) == []  # neither place nor, surely, Elo


def test_a_change_is_judged_by_the_error_that_newer_votes_took_away():
    """The older votes are in both ratings: 1.96 · 1.5 · √(10² − 8²) = 17.6, where two independent errors say 39."""
    before, now = Mark(1000, 15, plain_se=10), Mark(1017, 12, plain_se=8)
    assert moves({"a": before}, {"a": now}) == []
    (clear,) = moves({"a": before}, {"a": replace(now, elo=1018)})
    assert clear.is_clear
    assert moves({"a": before}, {"a": replace(now, elo=1018, plain_se=math.nan)}) == []


def test_models_that_move_together_have_not_moved():
    before = {name: Mark(1000, 5) for name in "abcd"}
    now = {name: Mark(1030, 5) for name in "abcd"}
    assert moves(before, now) == []
    (alone,) = moves(before, now | {"d": Mark(1000, 5)})
    assert (alone.model, alone.elo, alone.is_clear) == ("d", 0.0, True)


def test_an_unchanged_model_is_hardly_ever_called_changed_and_one_that_changed_often_is():
    """“What clearly moved this week”, while a board grows by a half on the same prompts."""
    world = World(models=8, voters=300, prompts=40, voter_taste=0.5, prompt_taste=0.3)
    calm = called = 0
    for seed in range(40):
        arena = Arena.of(world, seed)
        changed = replace(arena, strength=arena.strength + np.eye(8)[0] * 150 / elo.SCALE * (seed % 2))
        columns = ("voter", "prompt", "left", "right", "score")
        before, more = arena.votes(4_000, seed), changed.votes(2_000, seed + 500)
        after = replace(before, **{name: np.append(getattr(before, name), getattr(more, name)) for name in columns})
        then, now = (_marks(votes) for votes in (before, after))
        clear = {move.model for move in moves(then, now) if move.is_clear}
        calm += len(clear - {"m000"} if seed % 2 else clear)
        called += "m000" in clear and seed % 2
    assert calm <= 0.065 * (40 * 8 - 20)
    assert called >= 12


def _marks(votes) -> dict[str, Mark]:
    plain = elo.fit(votes.cells)
    fit, _ = intervals.spread(plain, votes.raw)
    return {
        model: Mark(float(fit.elo[index]), float(fit.se[index]), plain_se=float(plain.se[index]))
        for index, model in enumerate(fit.models)
    }
