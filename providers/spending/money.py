"""Prices as pages show them, in the reader's language; files and the API have those of `offering.pricing.usd`."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy

from providers.offering import pricing


def usd(amount: Decimal | float | None) -> str:
    """$0.006, $0.04, $1.50; a dash for None."""
    text = pricing.usd(amount)
    if amount is None:
        return text
    plain = text.removeprefix("$").replace(",", "")
    return gettext("$%(amount)s") % {"amount": number_format(plain, force_grouping=True)}


def listed(amount: Decimal | None) -> str:
    """As a column of prices writes them, digits under digits: $0.030 below ten cents, $0.13 from there on."""
    if amount is None or not amount or amount < Decimal("0.001"):
        return usd(amount)
    digits = 3 if amount < Decimal("0.1") else 2
    return gettext("$%(amount)s") % {"amount": number_format(round(amount, digits), digits, force_grouping=True)}


_UNITS = {
    "image": gettext_lazy("per image"),
    "megapixel": gettext_lazy("per megapixel"),
    "megapixel-started": gettext_lazy("per megapixel, rounded up"),
    "megapixel-in-out": gettext_lazy("per megapixel, in and out"),
    "megapixel-first": gettext_lazy("first megapixel, less for each further one"),
    "image-by-tier": gettext_lazy("per image, by resolution"),
    "image-by-quality": gettext_lazy("per image, by quality"),
}


def price_unit(unit: str) -> str:
    """How a price counts, by a key of `Offering.Unit`; the admin has the labels there."""
    return str(_UNITS[unit])
