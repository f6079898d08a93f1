"""The same votes rated three ways."""

import numpy as np
import pytest

from leaderboard.rating.elo import Cells
from leaderboard.rating.methods import largest_difference, rows
from tests.leaderboard.rating.boards import PAINTING, cells_of


def test_the_order_of_real_votes_moves_a_running_elo_and_nothing_else():
    table = rows(cells_of(PAINTING))
    assert [row.model for row in table][:2] == ["DALLE3", "Midjourney"]
    assert largest_difference(table) > 30
    assert all(900 - 20 < row.bradley_terry < 1150 for row in table)
    assert sum(row.one_order for row in table) == pytest.approx(7000)


def test_a_win_rate_counts_ties_as_half():
    table = rows(Cells.from_rows([("a", "b", "left", 3), ("b", "a", "tie", 2)]))
    assert {row.model: row.win_rate for row in table} == {"a": 0.8, "b": pytest.approx(0.2)}
    assert np.isfinite([row.bradley_terry for row in table]).all()


def test_nothing_compares_to_nothing():
    assert rows(Cells.from_rows([], models=["a"])) == []
    assert largest_difference([]) == 0
