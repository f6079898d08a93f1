"""The arithmetic of evidence: e-processes that stay small for everybody inside their null, and grow for riggers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from arena.integrity import evidence
from benchmarks import integrity as simulated
from benchmarks import kinds_of_voters


@pytest.fixture(scope="module")
def board():
    return kinds_of_voters.board(np.random.default_rng(5), 8, 12_000)


def answers(votes):
    return evidence.Answers(*votes)


def test_strengths_are_those_of_the_votes(board):
    error = board.reference.strength - (board.strength - board.strength.mean())
    assert np.abs(error).max() < 0.3  # ability and ties of people widen it
    assert np.abs(error).max() > 0


@pytest.mark.parametrize("kind", kinds_of_voters.MUST_CATCH)
def test_riggers_are_caught_within_a_hundred_votes(board, kind):
    rng = np.random.default_rng(1)
    caught = [simulated.caught_at(kinds_of_voters.RIGGERS[kind](rng, board, 100, 0.5), board) for _ in range(20)]
    assert sum(at is not None for at in caught) >= 19


@pytest.mark.parametrize("kind", kinds_of_voters.HONEST)
def test_honest_voters_are_not(board, kind):
    rng = np.random.default_rng(2)
    votes = [kinds_of_voters.HONEST[kind](rng, board, 200, taste) for taste in (0.3, 0.5) for _ in range(30)]
    assert [simulated.caught_at(cast, board) for cast in votes if simulated.caught_at(cast, board)] == []


def test_honest_voters_of_four_models_are_not_and_riggers_are():
    """With the nulls of larger boards six of these 300 were."""
    rng = np.random.default_rng(10)
    few = kinds_of_voters.board(rng, 4, 6_000)
    honest = [simulated.caught_at(kinds_of_voters.people(rng, few, 200, 0.5), few) for _ in range(300)]
    assert sum(at is not None for at in honest) <= 2
    for kind in kinds_of_voters.MUST_CATCH:
        caught = [simulated.caught_at(kinds_of_voters.RIGGERS[kind](rng, few, 100, 0.5), few) for _ in range(20)]
        assert sum(at is not None for at in caught) >= 19


def test_an_office_of_one_taste_behind_one_address_is_not(board):
    """First votes of colleagues, pooled: everybody's own taste on top of one that they share."""
    rng = np.random.default_rng(6)
    for _ in range(40):
        shared = kinds_of_voters.person(rng, board.strength, 0.5).strength
        office = kinds_of_voters.Board(shared, board.wins, board.reference)
        firsts = [kinds_of_voters.people(rng, office, 1, 0.3) for _ in range(60)]
        pooled = tuple(np.concatenate(column) for column in zip(*firsts, strict=True))
        assert simulated.caught_at(pooled, board) is None


def test_who_chooses_pairs_by_skipping_as_far_as_allowed_is_caught(board):
    rng = np.random.default_rng(7)
    for push in (1.0, 0.5):
        for _ in range(3):
            votes, is_caught = simulated.chooses(rng, board, 200, push, 1.0)
            assert is_caught or simulated.caught_at(votes, board)


def test_who_chooses_so_little_that_nobody_sees_it_moves_hardly_anything(board):
    """On a board of 3,000 votes a model, with all of the votes that count there: seven of ten of the target's pairs
    pushed, a tenth of the others skipped. With 200 votes it was 5.5."""
    rng, target, moved = np.random.default_rng(8), 4, []
    before = simulated.fit(board.wins)[target]
    for _ in range(8):
        (left, right, y), _ = simulated.chooses(rng, board, simulated.cap_of(8, 3_000), 0.7, 0.1)
        wins = board.wins.copy()
        np.add.at(wins, (np.where(y > 0, left, right)[y != 0], np.where(y > 0, right, left)[y != 0]), 1)
        moved.append(abs(simulated.fit(wins)[target] - before))
    assert np.mean(moved) <= 5


@pytest.mark.parametrize("k", [3, 4, 5, 6, 7, 8, 10, 15, 30])
def test_who_stays_within_what_a_taste_explains_is_bounded_by_the_cap(k):
    """Equal models, 3,000 votes each, and one voter's votes as they come: the target wins nine in ten, which takes
    hundreds of votes to tell from a taste."""
    met = np.full((k, k), 3_000 * 0.85 / (k - 1) / 2)
    np.fill_diagonal(met, 0)
    wins, votes = met.copy(), simulated.cap_of(k, 3_000) * 2 / k / (k - 1)
    wins[0, 1:] += 0.9 * votes
    wins[1:, 0] += 0.1 * votes
    assert 1 < simulated.fit(wins)[0] - simulated.fit(met)[0] <= 3


def test_a_young_board_accuses_nobody_for_what_it_does_not_know(board):
    rng = np.random.default_rng(3)
    young = kinds_of_voters.board(rng, 8, 120)
    caught = [simulated.caught_at(kinds_of_voters.people(rng, young, 100, 0.5), young) for _ in range(40)]
    assert caught == [None] * 40


def test_a_young_board_takes_clear_differences_for_no_fraud():
    """Forty votes do not say how far six models are apart: without the doubt about that 26 of these 500 are caught."""
    rng, caught = np.random.default_rng(3), 0
    for _ in range(20):
        made = kinds_of_voters.board(rng, 6, 40)
        clear = kinds_of_voters.Board(2 * made.strength, made.wins, made.reference)
        votes = [kinds_of_voters.people(rng, clear, 200, 0.5) for _ in range(25)]
        caught += sum(simulated.caught_at(cast, clear) is not None for cast in votes)
    assert caught <= 2


def test_at_the_edge_of_the_null_ville_holds():
    """Voters whose liking for one side is exactly what is still ordinary: 1 in 20 at most ever reaches 20."""
    rng, k, n = np.random.default_rng(4), 6, 80
    certain = evidence.Consensus(np.zeros(k), np.zeros((k, k)), np.ones(k))
    reached = 0
    for _ in range(200):
        left, right = kinds_of_voters.pairs(rng, k, n)
        y = np.where(rng.random(n) < kinds_of_voters.sigmoid(evidence.SIDE[0]), 1, -1)
        seen = evidence.weigh(evidence.Answers(left, right, y), certain)
        reached += seen.families[evidence.FAMILIES.index("side")].max() >= math.log(20)
    assert reached <= 200 / 20 + 3 * math.sqrt(200 / 20)


def test_ties_are_no_evidence_but_of_ties(board):
    rng = np.random.default_rng(6)
    left, right = kinds_of_voters.pairs(rng, 8, 40)
    seen = evidence.weigh(evidence.Answers(left, right, np.zeros(40, np.int64)), board.reference)
    assert [name for name, value in zip(evidence.FAMILIES, seen.last, strict=True) if value] == ["ties"]
    assert seen.peak > evidence.QUARANTINE


def test_no_votes_say_nothing(board):
    nothing = np.zeros(0, np.int64)
    seen = evidence.weigh(evidence.Answers(nothing, nothing, nothing), board.reference)
    assert (seen.peak, seen.review_peak, list(seen.last)) == (0.0, 0.0, [0.0] * 6)
    assert evidence.skipping(np.array([3]), np.array([0]), 3, 0) == 0.0
    assert evidence.selection(np.zeros((4, 0), np.bool_), np.full(4, 0.5)).size == 0


def test_skips_until_one_model_comes_are_seen_and_a_dislike_is_not():
    steering = evidence.skipping(np.array([8, 3, 3, 2]), np.array([0, 20, 20, 20]), 8, 30)
    dislike = evidence.skipping(np.array([2, 30, 30, 30]), np.array([20, 8, 6, 6]), 46, 20)
    assert steering > evidence.QUARANTINE
    assert dislike < math.log(10)


def test_of_eight_models_to_skip_one_every_time_is_a_taste():
    """All 28 pairs with the disliked one skipped, 84 answered: if skipping more counted, an e-value of e⁵⁵."""
    answered, skipped = np.array([0, *[24] * 7]), np.array([28, *[4] * 7])
    assert evidence.skipping(answered, skipped, 84, 28) < 0


def test_of_three_models_the_two_that_are_not_disliked_are_steered_towards_by_nobody():
    """Who skips two of three pairs with one of three models skips the other two less often than the rest."""
    dislike = evidence.skipping(np.array([20, 60, 60]), np.array([40, 20, 20]), 70, 40)
    steering = evidence.skipping(np.array([60, 30, 30]), np.array([2, 41, 41]), 60, 42)
    assert dislike < math.log(10)
    assert steering > evidence.QUARANTINE


def test_fastchats_rule_flags_a_voter_against_every_pair(board):
    """The reference that the benchmark compares with: it names who always contradicts clear pairs."""
    wins = np.array([[0.0, 90.0], [10.0, 0.0]])
    against = (np.zeros(20, np.int64), np.ones(20, np.int64), -np.ones(20, np.int64))
    agrees = (np.zeros(20, np.int64), np.ones(20, np.int64), np.ones(20, np.int64))
    assert simulated.fastchat_catches(against, wins)
    assert not simulated.fastchat_catches(agrees, wins)
