"""The rows of a board under the only edges that votes support."""

from __future__ import annotations

import pytest

from leaderboard.board.standings import Standing
from leaderboard.board_page import rows, scatter
from leaderboard.board_page.filters import BoardRow, Filters
from leaderboard.models import Rating
from providers.models import ImageModel

NONE_YET = "No place yet"


def board(*places: tuple[int | None, int | None]) -> list[BoardRow]:
    known = sum(low is not None for low, _ in places)
    ratings = [
        Rating(elo=1000, lower=990, upper=1010, rank_low=low, rank_high=high, placed=known) for low, high in places
    ]
    return [
        BoardRow(is_placed=True, slug="", name=f"{index}", elo=1000, votes=9, status="usable",
                 standing=Standing(rating, known))
        for index, rating in enumerate(ratings)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("places", "heads"),
    [
        ([(1, 1), (2, 3), (2, 3)], [("Lead", "first", 1), ("Behind", "the leader rates above each of these", 2)]),
        (
            [(1, 2), (1, 2), (3, 3)],
            [("Lead", "could be first", 2), ("Behind", "all 2 leaders rate above each of these", 1)],
        ),
        ([(1, 2), (1, 3), (2, 3)], [("", "", 3)]),
        ([(1, 2), (1, 2)], [("Any of these could be first", "the order below is not a result yet", 2)]),
        ([(1, 1)], [("Lead", "first", 1)]),
        ([(1, 1), (None, None)], [("Lead", "first", 1), (NONE_YET, None, 1)]),
        ([(1, 2), (1, 2), (None, None)], [("Any of these could be first", None, 2), (NONE_YET, None, 1)]),
        ([(1, 2), (1, 3), (2, 3), (None, None)], [("", "", 3), (NONE_YET, None, 1)]),
        ([(None, None)], [(NONE_YET, None, 1)]),
        ([], []),
    ],
)
def test_leaders_stand_apart_only_where_votes_put_them_above_each_of_the_others(places, heads):
    all_rows = board(*places)
    shown = rows.groups(all_rows, all_rows, Filters())
    assert [(group.title, len(group.rows)) for group in shown] == [(title, n) for title, _, n in heads]
    assert all(note in (None, group.note) for group, (_, note, _) in zip(shown, heads, strict=True))


@pytest.mark.parametrize("chosen", [Filters(sort="price"), Filters(reverse=True), Filters(q="0")])
def test_any_other_order_and_any_filter_has_no_groups(chosen):
    all_rows = board((1, 1), (2, 2), (None, None))
    assert [group.title for group in rows.groups(all_rows, all_rows, chosen)] == ["", NONE_YET]


@pytest.mark.parametrize(
    ("origin", "note", "said"),
    [
        ("sample", "simulated", "sample, simulated"),
        ("sample", "", "sample"),
        ("imported", "", "imported"),
        ("catalog", "estimated price", "estimated price"),
        ("catalog", "", ""),
    ],
)
def test_a_point_says_what_must_be_known_of_its_model(origin, note, said):
    (row,) = board((1, 1))
    row.standing.rating.image_model = ImageModel(pk=7, slug="kite", name="Kite", origin=origin)
    points = [scatter._point(row, 0.5, note, current) for current in (7, 8)]
    assert [str(point.note) for point in points] == [said, said]
    assert [point.current for point in points] == [True, False]
