"""Whether a model changed behind its name, in worlds where it is known. Seeds are fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.worlds import Arena, World
from leaderboard.rating import drift, elo

WORLD = World(models=10, voters=200, prompts=40, voter_taste=0.5, prompt_taste=0.3)
CHANGED = 100 / elo.SCALE  # nats


def windowed(seed, count, changed=(), *, other_prompts=True):
    """Votes before and after these models became 100 Elo stronger."""
    before = Arena.of(WORLD, seed)
    after = replace(before, strength=before.strength + CHANGED * np.isin(np.arange(WORLD.models), changed))
    if other_prompts:
        tastes = np.random.default_rng([seed, 9]).normal(0, WORLD.prompt_taste, before.prompt_tastes.shape)
        after = replace(after, prompt_tastes=tastes)
    one, other = before.votes(count, seed), after.votes(count, seed + 500)
    late = np.repeat([False, True], [one.left.size, other.left.size])
    column = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("left", "right", "score")}
    return drift.WindowedVotes(
        models=WORLD.models, left_late=late, right_late=late, **column,
        voter=np.concatenate([one.voter, other.voter]),
        prompt=np.concatenate([one.prompt, other.prompt + WORLD.prompts * other_prompts]),
    )  # fmt: skip


def alarms(votes):
    return {model for model, move in drift.moves(votes).items() if move.is_alarm}


def test_two_models_that_changed_are_named_and_no_other():
    named = [alarms(windowed(seed, 6_000, (2, 5))) for seed in range(8)]
    assert sum(len(names & {2, 5}) for names in named) >= 12  # of 16
    assert sum(bool(names - {2, 5}) for names in named) <= 1


def test_boards_that_did_not_change_name_nobody_and_their_intervals_hold():
    moves = [drift.moves(windowed(seed, 3_000, other_prompts=bool(seed % 2))) for seed in range(30)]
    assert sum(any(move.is_alarm for move in board.values()) for board in moves) <= 3
    inside = [abs(move.move) <= move.half_width for board in moves for move in board.values()]
    assert np.mean(inside) >= 0.93


def test_a_move_that_all_models_share_is_none():
    assert alarms(windowed(3, 6_000, range(10))) == set()


def test_who_did_not_change_stands_still_when_others_move():
    """Three of ten became stronger: beside the mean move, not the median, the other seven would seem 22 Elo weaker."""
    changed = (2, 5, 7)
    boards = [drift.moves(windowed(seed, 6_000, changed)) for seed in range(6)]
    mean = np.array([[board[model].move for model in range(WORLD.models)] for board in boards]).mean(0)
    assert abs(np.delete(mean, changed).mean()) < 15
    assert mean[list(changed)].mean() > 60


def test_of_models_with_few_votes_in_a_window_nothing_is_said():
    votes = windowed(1, 400)
    scarce = (votes.left == 4) | (votes.right == 4)
    keep = ~(scarce & votes.left_late)
    fewer = drift.WindowedVotes(
        votes.models, *(getattr(votes, name)[keep] for name in
                        ("left", "right", "left_late", "right_late", "score", "voter", "prompt")),
    )  # fmt: skip
    assert 4 in drift.moves(votes)
    assert 4 not in drift.moves(fewer)
    assert drift.moves(windowed(1, 20)) == {}
