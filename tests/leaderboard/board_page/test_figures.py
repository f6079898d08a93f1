"""A board as pictures: which rows are drawn, and how many pairs and votes stand under them."""

from __future__ import annotations

import math
from itertools import count

import pytest

from leaderboard.board.head_to_head import PairRecord
from leaderboard.board.standings import Standing
from leaderboard.board_page import figures
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Rating
from providers.models import ImageModel

_numbers = count(1)


def row(half_width: float = 9, status: str = "usable") -> BoardRow:
    number = next(_numbers)
    model = ImageModel(pk=number, slug=f"m{number}", name=f"M{number}")
    rating = Rating(image_model=model, elo=1000, lower=1000 - half_width, upper=1000 + half_width, placed=9)
    return BoardRow(is_placed=True, slug=model.slug, name=model.name, elo=1000, votes=9, status=status,
                    standing=Standing(rating, 9))  # fmt: skip


def test_the_first_thirty_intervals_are_drawn_and_those_without_left_out():
    drawn = figures.intervals([*(row(math.inf) for _ in range(3)), *(row() for _ in range(31))])
    assert drawn is not None
    assert (drawn.drawn, drawn.of, len(drawn.wide.whiskers), len(drawn.narrow.whiskers)) == (30, 31, 30, 30)
    assert figures.intervals([row(), row(math.inf)]) is None
    pair = figures.intervals([row(status="provisional"), row()])
    assert pair is not None
    assert [whisker.kind for whisker in pair.wide.whiskers] == ["provisional", "other"]


def test_pairs_and_votes_of_the_head_to_head_are_counted_once():
    rows = [row() for _ in range(11)]
    first, second, third = (row.standing.rating.image_model_id for row in rows[:3])
    outside = rows[10].standing.rating.image_model_id
    records = {
        (first, second): PairRecord(won=6, lost=3, tied=1),
        (second, first): PairRecord(won=3, lost=6, tied=1),
        (first, third): PairRecord(won=2),
        (third, first): PairRecord(lost=2),
        (first, outside): PairRecord(won=50),
        (second, third): PairRecord(),
    }
    duels = figures.duels_of(records, rows)
    assert duels is not None
    assert (duels.drawn, duels.of, duels.met, duels.pairs, duels.votes) == (9, 11, 2, 36, 12)
    cells = [cell.text for cell in duels.chart.lines[0].cells]
    assert cells == ["", "65", "100", *["–"] * 6]
    assert figures.duels_of({}, rows) is None


class PairsOfTag:
    def among(self, models):
        return [(models[0], models[1], 8, 6.0)]


@pytest.mark.parametrize(("line", "text"), [(0, "75"), (1, "25")])
def test_the_pairs_of_a_tag_are_seen_from_both_sides(line, text):
    duels = figures.duels_from(PairsOfTag(), [row(), row()])
    assert duels is not None
    assert duels.chart.lines[line].cells[1 - line].text == text
    assert (duels.met, duels.pairs, duels.votes) == (1, 1, 8)
