"""Numbers as pages write them, in the reader's language: 1,234.5 and 98% are 1.234,5 and 98 % in German.

Prices are in `providers.spending.money`. Files, feeds and the API write numbers themselves, for programs.
"""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext

UNKNOWN = "–"


def whole(number: float | None) -> str:
    """1,234"""
    return UNKNOWN if number is None else number_format(f"{number:.0f}", force_grouping=True)


def decimal(number: float, digits: int) -> str:
    """With so many digits after the point: 1,234.50"""
    return number_format(f"{number:.{digits}f}", force_grouping=True)


def significant(number: float, digits: int) -> str:
    """With so many digits that count, and no more: 0.034"""
    return number_format(f"{number:.{digits}g}")


def per_cent(text: str) -> str:
    """A number that is written already, as a percentage: 98%"""
    return gettext("%(number)s%%") % {"number": text}


def percent(share: float | None, digits: int = 0) -> str:
    """Of a share from 0 to 1."""
    return UNKNOWN if share is None else per_cent(decimal(share * 100, digits))


def seconds(value: float | None) -> str:
    """With two digits that count: 0.42 s, 2.4 s, 14 s"""
    if value is None:
        return UNKNOWN
    return f"{decimal(value, 0 if value >= 9.95 else 1 if value >= 0.995 else 2)} s"
