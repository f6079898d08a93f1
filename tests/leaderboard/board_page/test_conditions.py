"""What a filter left is said under the filter's own words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from leaderboard.board_page import conditions
from leaderboard.board_page.filters import Filters


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(), ""),
        (Filters(q="kite"), "Named “kite”"),
        (Filters(price=Decimal("0.02")), "Under $0.02"),
        (Filters(price=Decimal(0)), "Under $0.00"),
        (Filters(seconds=2.5), "Within 2.5 s"),
        (Filters(rights="yes"), "With commercial rights"),
        (Filters(rights="ask"), "With rights to ask for"),
        (Filters(rights="no"), "Without commercial rights"),
        (Filters(weights="open"), "With open weights"),
        (Filters(weights="closed"), "Without open weights"),
        (Filters(licence="MIT"), "Under the licence MIT"),
        (Filters(lab="tern-lab"), "Of tern-lab"),
        (Filters(provider="fal"), "At fal"),
        (Filters(released=date(2026, 3, 1)), "Released since 1 March 2026"),
        (Filters(status="sure"), "Without unsettled ratings"),
        (Filters(price=Decimal("0.02"), rights="yes", lab="x"), "Under $0.02 with commercial rights of x"),
    ],
)
def test_filters_in_words(filters, words):
    assert conditions.of(filters) == words
