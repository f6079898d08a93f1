"""The record of an opened row: its shares add up, and equal votes are those of both kinds."""

from __future__ import annotations

import pytest

from leaderboard.board.head_to_head import PairRecord
from leaderboard.board_page.opened import OpenedRow


@pytest.mark.parametrize(
    ("record", "shares", "equal", "bad"),
    [
        (PairRecord(won=5, lost=1, tied=1, both_bad=1), ("62.5", "25.0", "87.5", "12.5"), 2, 0.125),
        (PairRecord(won=1, lost=2), ("33.3", "0.0", "33.3", "66.7"), 0, 0),
        (PairRecord(), ("0.0", "0.0", "0.0", "0.0"), 0, 0),
    ],
)
def test_the_shares_of_a_record(record, shares, equal, bad):
    row = OpenedRow(record, [], [])
    assert (row.won_share, row.equal_share, row.not_lost_share, row.lost_share) == shares
    assert (row.equal, row.bad_share) == (equal, bad)
