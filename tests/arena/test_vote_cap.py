"""The cap on one voter's votes, as the methodology states it."""

from __future__ import annotations

import pytest

from arena.vote_cap import cap


@pytest.mark.parametrize(
    ("votes", "voters", "expected"),
    [
        (0, 0, 50),
        (300, 20, 50),
        (5_999, 400, 50),
        (6_000, 400, 60),  # 1 %
        (6_999, 450, 60),  # rounded down to tens
        (20_000, 1_400, 200),
        (1_000_000, 70_000, 200),  # the share stops at 200
        (800, 10, 160),  # a team of ten: twice a member's even share
        (299, 10, 50),
        (300, 10, 60),
    ],
)
def test_the_cap_follows_the_size_of_the_board(votes, voters, expected):
    assert cap(votes, voters) == expected


def test_a_growing_board_never_lowers_the_cap():
    caps = [cap(votes, votes // 15 + 1) for votes in range(0, 20_000, 50)]
    assert caps == sorted(caps)
