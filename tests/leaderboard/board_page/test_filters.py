"""Filters hide rows and sort them; they never touch ranks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leaderboard.board_page import filters
from leaderboard.board_page.filters import BoardRow, Filters

rows = some.lists(
    some.builds(
        BoardRow,
        is_placed=some.booleans(),
        slug=some.text("abc", min_size=1, max_size=3),
        name=some.text("aBc", min_size=1, max_size=3),
        elo=some.floats(500, 1500),
        votes=some.integers(0, 99),
        status=some.sampled_from(["provisional", "usable", "settled"]),
        lab=some.sampled_from(["", "one", "two"]),
        licence=some.sampled_from(["", "MIT", "none"]),
        open_weights=some.booleans(),
        released_on=some.none() | some.dates(date(2024, 1, 1), date(2026, 1, 1)),
        price=some.none() | some.decimals(0, 1, places=3),
        seconds=some.none() | some.floats(0.1, 60),
        providers=some.sampled_from([(), ("fal",), ("fal", "openai")]),
    ),
    max_size=12,
)
words = some.dictionaries(
    some.sampled_from([*filters.FIELDS, "sort", "page"]),
    some.sampled_from(
        ["", "one", "MIT", "open", "closed", "fal", "0.5", "$0.1", "2025-01-01", "sure", "-price", "nan", "x"]
    ),
)


@given(rows, words)
def test_what_is_shown_is_a_part_of_the_board_and_every_word_is_used_or_refused(board, asked):
    read = filters.read(asked, filters.choices(board))
    shown = filters.shown(board, read)
    assert all(any(row is other for other in board) for row in shown)
    assert len(shown) == len({id(row) for row in shown})
    for name in (*filters.FIELDS, "sort"):
        if word := asked.get(name, "").strip():
            used = {"sort": read.sort != "rank" or read.reverse or word == "rank"}.get(
                name, getattr(read, name) not in ("", None)
            )
            assert used != (name in read.errors), (name, word)
            assert read.given[name] == word  # nothing the reader wrote is lost, not even what could not be used


@given(rows, some.sampled_from(sorted(filters.SORTS)), some.booleans())
def test_sorting_keeps_every_row_and_puts_what_is_unknown_last(board, sort, reverse):
    ordered = filters.in_order(board, sort, reverse)
    assert sorted(map(id, ordered)) == sorted(map(id, board))
    values = [getattr(row, filters.SORTS[sort][0]) for row in ordered]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    keys = [value.casefold() if isinstance(value, str) else value for value in known]
    assert keys == sorted(keys, reverse=filters.SORTS[sort][1] != reverse)


@given(rows, some.decimals(0, 1, places=2))
def test_a_price_limit_passes_only_what_is_known_to_keep_it(board, limit):
    for row in filters.shown(board, Filters(price=limit)):
        assert row.price is not None
        assert row.price <= limit


def test_an_address_with_one_word_changed_keeps_the_others():
    read = filters.read({"price": "0.04", "sort": "price", "window": "90d"}, filters.choices([]), keep=("window",))
    assert read.price == Decimal("0.04")
    assert read.query(sort="") == "window=90d&price=0.04"


HERON = BoardRow(
    is_placed=True, slug="heron-xl", name="Heron XL", elo=1000, votes=9, status="usable", lab="tern",
    lab_name="Tern Lab", licence="MIT", commercial="ask", open_weights=True, released_on=date(2026, 3, 1),
    price=Decimal("0.04"), seconds=5.0, providers=("fal",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("passes", "hidden"),
    [
        ({"lab": "tern"}, {"lab": "gull"}),
        ({"licence": "MIT"}, {"licence": "none"}),
        ({"weights": "open"}, {"weights": "closed"}),
        ({"provider": "fal"}, {"provider": "openai"}),
        ({"q": "RON x"}, {"q": "kite"}),
        ({"q": "tern l"}, {"q": "ternl"}),
        ({"rights": "ask"}, {"rights": "yes"}),
        ({"price": Decimal("0.04")}, {"price": Decimal("0.039")}),
        ({"seconds": 5.0}, {"seconds": 4.9}),
        ({"released": date(2026, 3, 1)}, {"released": date(2026, 3, 2)}),
    ],
)
def test_what_is_exactly_at_a_limit_passes_it(passes, hidden):
    assert filters.shown([HERON], Filters(**passes)) == [HERON]
    assert filters.shown([HERON], Filters(**hidden)) == []


@pytest.mark.parametrize(
    ("unknown", "limit"),
    [("price", {"price": Decimal(9)}), ("seconds", {"seconds": 9.0}), ("released_on", {"released": date(2000, 1, 1)})],
)
def test_what_is_not_known_passes_no_limit(unknown, limit):
    assert filters.shown([replace(HERON, **{unknown: None})], Filters(**limit)) == []


def test_sure_hides_provisional_rows_alone():
    board = [replace(HERON, status=status) for status in ("provisional", "usable", "settled")]
    assert [row.status for row in filters.shown(board, Filters(status="sure"))] == ["usable", "settled"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("rank", 1), ("model", 0), ("elo", 1), ("best", 1), ("votes", 1), ("keepers", 1), ("price", 0), ("seconds", 0),
     ("released", 1)],
)  # fmt: skip
def test_each_column_sorts_by_what_is_wanted_first(sort, first):
    small = replace(HERON, best=0.1, keeper_rate=0.1)
    large = replace(
        HERON, name="Plover", elo=1001, best=0.2, votes=10, keeper_rate=0.2, price=Decimal("0.05"), seconds=6.0,
        released_on=date(2026, 3, 2),
    )  # fmt: skip
    assert filters.in_order([small, large], sort)[0] is (small, large)[first]
    assert filters.in_order([small, large], sort, reverse=True)[0] is (large, small)[first]
