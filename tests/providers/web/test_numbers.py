"""Every number of a page is written by one of these: how far it is rounded, where its digits are grouped."""

from __future__ import annotations

import pytest
from django.utils import translation

from providers.web import numbers


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (numbers.whole(None), "–"),
        (numbers.whole(0), "0"),
        (numbers.whole(999.4), "999"),
        (numbers.whole(1234.6), "1,235"),
        (numbers.decimal(1234.56, 1), "1,234.6"),
        (numbers.decimal(0.25, 3), "0.250"),
        (numbers.significant(0.0344, 2), "0.034"),
        (numbers.significant(9.96, 2), "10"),
        (numbers.per_cent("12.5"), "12.5%"),
        (numbers.percent(None), "–"),
        (numbers.percent(0.874), "87%"),
        (numbers.percent(0.9995, 2), "99.95%"),
        (numbers.seconds(None), "–"),
        (numbers.seconds(0.424), "0.42 s"),
        (numbers.seconds(0.994), "0.99 s"),
        (numbers.seconds(0.995), "1.0 s"),
        (numbers.seconds(9.94), "9.9 s"),
        (numbers.seconds(9.95), "10 s"),
        (numbers.seconds(1234.5), "1,234 s"),
    ],
)
def test_numbers_as_pages_write_them(written, text):
    assert written == text


def test_another_language_has_its_own_separators():
    with translation.override("de"):
        assert (numbers.whole(1234.6), numbers.decimal(1234.56, 1)) == ("1.235", "1.234,6")
        assert (numbers.percent(0.125, 1), numbers.seconds(2.44)) == ("12,5\xa0%", "2,4 s")
