"""Prices in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from django.utils import translation

from providers.spending.money import usd


def test_a_price_is_written_as_its_reader_writes_it():
    assert [usd(amount) for amount in (Decimal("0.006"), 1.5, None)] == ["$0.006", "$1.50", "–"]
    with translation.override("de"):
        assert [usd(amount) for amount in (Decimal("0.006"), 1.5, None)] == ["0,006\xa0$", "1,50\xa0$", "–"]
