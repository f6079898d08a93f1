"""Prices as pages show them, in the reader's language; files and the API have those of `offering.pricing.usd`."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import get_format
from django.utils.translation import gettext

from providers.offering import pricing


def usd(amount: Decimal | float | None) -> str:
    """$0.006, $0.04, $1.50; a dash for None."""
    text = pricing.usd(amount)
    if amount is None:
        return text
    return gettext("$%(amount)s") % {"amount": text.removeprefix("$").replace(".", get_format("DECIMAL_SEPARATOR"))}
