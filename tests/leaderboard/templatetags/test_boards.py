"""Columns that sort, and a board's figures where it has no columns."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from leaderboard.board_page.filters import BoardRow, Filters
from leaderboard.templatetags import boards


@pytest.mark.parametrize(
    ("filters", "by", "query", "state"),
    [
        (Filters(), "rank", "sort=-rank", 'aria-sort="ascending"'),
        (Filters(sort="elo"), "rank", "", ""),
        (Filters(sort="elo"), "elo", "sort=-elo", 'aria-sort="descending"'),
        (Filters(sort="elo", reverse=True), "elo", "sort=elo", 'aria-sort="ascending"'),
        (Filters(sort="price"), "price", "sort=-price", 'aria-sort="ascending"'),
        (Filters(sort="price", reverse=True), "price", "sort=price", 'aria-sort="descending"'),
        (Filters(given={"price": "0.02", "sort": "elo"}, sort="elo"), "votes", "price=0.02&sort=votes", ""),
    ],
)
def test_a_columns_link_turns_the_order_it_sorts_by(filters, by, query, state):
    assert boards.sort_query(filters, by) == query
    assert boards.sort_state(filters, by) == state


PRICES = [("0.01", "$0.01"), ("0.02", "$0.02"), ("0.05", "$0.05"), ("0.10", "$0.10")]
SECONDS = [("2", "2"), ("5", "5"), ("10", "10"), ("30", "30")]


@pytest.mark.parametrize(
    ("given", "name", "choices"),
    [
        ("", "price", PRICES),
        ("0.02", "price", PRICES),
        ("0.03", "price", [*PRICES, ("0.03", "$0.03")]),
        ("5", "seconds", SECONDS),
        ("soon", "seconds", [*SECONDS, ("soon", "soon")]),
    ],
)  # fmt: skip
def test_the_usual_limits_and_the_one_that_was_written(given, name, choices):
    assert boards.choices_with(Filters(given={name: given}), name) == choices


def row(**fields: Any) -> BoardRow:
    model = SimpleNamespace(retired_at=fields.pop("retired_at", None))
    defaults: dict[str, Any] = {
        "is_placed": True, "slug": "kite", "name": "Kite", "elo": 1000, "votes": 1200, "status": "usable",
        "lab_name": "Tern Lab", "standing": SimpleNamespace(rating=SimpleNamespace(image_model=model)),
        "facts": SimpleNamespace(is_estimated=fields.pop("is_estimated", False)),
    }  # fmt: skip
    return BoardRow(**defaults | fields)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "Tern Lab"),
        ({"status": "provisional"}, "unsettled: 1,200 votes"),
        ({"status": "provisional", "votes": 1}, "unsettled: 1 vote"),
        ({"retired_at": "2026-01-01"}, "retired · Tern Lab"),
        ({"lab_name": ""}, ""),
    ],
)
def test_the_line_under_a_name(fields, line):
    assert boards.subtitle(row(**fields)) == line


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, ""),
        ({"keeper_rate": 0.876}, "88% usable"),
        ({"price": Decimal("0.03")}, "$0.030"),
        ({"price": Decimal("0.03"), "is_estimated": True}, "$0.030≈"),
        ({"keeper_rate": 0.0, "price": Decimal("0.135"), "seconds": 2.44}, "0% usable · $0.14 · 2.4 s"),
    ],
)
def test_figures_of_a_row_without_columns(fields, line):
    assert boards.facts_of_row(row(**fields)) == line


def test_seconds_below_a_head_that_has_the_unit():
    assert (boards.bare_seconds(2.44), boards.bare_seconds(None)) == ("2.4", "–")


@pytest.mark.parametrize(
    ("seconds", "largest", "sources", "line"),
    [(14.2, "2K", 3, "14 s · 2K · edits"), (None, "", 0, "edits"), (None, "4K", None, "4K"), (0.5, "", None, "0.50 s")],
)
def test_a_row_of_the_catalogue_in_words(seconds, largest, sources, line):
    assert boards.in_words(SimpleNamespace(seconds=seconds, largest=largest, sources=sources)) == line
