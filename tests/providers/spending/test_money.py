"""Prices in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from django.utils import translation

from providers.spending.money import listed, usd


def test_a_price_is_written_as_its_reader_writes_it():
    assert [usd(amount) for amount in (Decimal("0.006"), 1.5, None)] == ["$0.006", "$1.50", "–"]
    with translation.override("de"):
        assert [usd(amount) for amount in (Decimal("0.006"), 1.5, None)] == ["0,006\xa0$", "1,50\xa0$", "–"]


def test_prices_of_a_column_have_their_digits_under_each_other_and_none_becomes_nothing():
    of = [Decimal(amount) for amount in ("0.03", "0.0132", "0.006", "0.134", "1.5", "0.0004", "0")]
    assert [listed(amount) for amount in of] == [
        "$0.030",
        "$0.013",
        "$0.006",
        "$0.13",
        "$1.50",
        "$0.0004",
        "$0.00",
    ]
    assert listed(None) == "–"
    with translation.override("de"):
        assert listed(Decimal("0.03")) == "0,030\xa0$"
