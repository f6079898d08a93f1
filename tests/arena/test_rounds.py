"""Rounds of five, from the number of votes alone."""

from __future__ import annotations

import pytest

from arena import rounds


def test_a_pair_stands_in_its_round_and_a_reveal_where_its_pair_stood():
    assert [(p.number, p.position, p.size) for p in map(rounds.of_pair, (0, 1, 4, 5, 12))] == [
        (1, 1, 5), (1, 2, 5), (1, 5, 5), (2, 1, 5), (3, 3, 5),
    ]  # fmt: skip
    assert rounds.of_answered(5) == rounds.of_pair(4)
    assert rounds.of_answered(0) == rounds.of_pair(0)


def test_bars_are_done_current_to_come_or_absent_from_a_round_that_cannot_be_filled():
    assert rounds.of_pair(2).marks == ("is-done", "is-done", "is-current", "", "")
    assert rounds.of_pair(2, is_last=True).marks == ("is-done", "is-done", "is-current", "is-absent", "is-absent")
    assert rounds.of_pair(2, is_last=True).size == 3


@pytest.mark.parametrize(("votes", "is_last", "number"), [
    (0, False, None), (0, True, None), (4, False, None), (5, False, 1), (20, False, 4),
    (7, True, None), (8, True, 2), (10, True, 2),
])  # fmt: skip
def test_a_round_ends_with_five_votes_or_with_the_last_pair(votes, is_last, number):
    assert rounds.finished(votes, is_last=is_last) == number
