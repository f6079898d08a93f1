"""Compares what providers bill with what our price list expects: a price that has moved must not go unnoticed.

Only calls whose bill is known count: the provider's own amount, the tokens it counted, or the units it billed. What the
price list expects of them follows from the size delivered. Offerings priced by quality are left out: a call does not
record the quality.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from providers import accounts
from providers.models import Call, Offering
from providers.offering import pricing
from providers.offering.sizing import pixels_of

log = logging.getLogger(__name__)

WINDOW = timedelta(days=7)
MIN_CALLS = 3  # fewer say nothing
TOLERANCE = Decimal("0.10")  # of the expected amount


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """One offering's bills of a window beside its price list, in USD."""

    offering: Offering
    calls: int
    billed: Decimal
    expected: Decimal

    @property
    def difference(self) -> Decimal:
        """By how much the bills are above the price list, as a share of it: 0.25 is 25 % dearer, -1 is free."""
        if not self.expected:
            return Decimal(0) if not self.billed else Decimal("Infinity")
        return self.billed / self.expected - 1

    @property
    def is_off(self) -> bool:
        return self.calls >= MIN_CALLS and abs(self.difference) > TOLERANCE

    def __str__(self) -> str:
        return (
            f"{self.offering}: {self.calls} calls were billed ${self.billed:f}, the price list expects "
            f"${self.expected:f} ({self.difference:+.0%})"
        )


def compare(window: timedelta = WINDOW) -> list[PriceCheck]:
    """Every offering with known bills in the window, those furthest off first."""
    calls = (
        Call.objects.filter(outcome="ok", started_at__gte=timezone.now() - window)
        .exclude(delivered_size="")
        .exclude(offering__price=None)
        .exclude(offering__price_unit=Offering.Unit.IMAGE_BY_QUALITY)
        .select_related("offering__image_model")
    )
    sums: dict[int, PriceCheck] = {}
    for call in calls.iterator():
        offering = call.offering
        if accounts.is_simulated(offering.provider) or (bill := billed(call)) is None:
            continue
        earlier = sums.get(offering.pk, PriceCheck(offering, 0, Decimal(0), Decimal(0)))
        sums[offering.pk] = PriceCheck(
            offering, earlier.calls + 1, earlier.billed + bill, earlier.expected + expected(call)
        )
    return sorted(sums.values(), key=lambda check: abs(check.difference), reverse=True)


def alarm() -> list[PriceCheck]:
    """The offerings whose bills are more than TOLERANCE off; each is logged as an error."""
    off = [check for check in compare() if check.is_off]
    for check in off:
        log.error("A price is off. %s.", check)
    return off


def billed(call: Call) -> Decimal | None:
    """What the provider says it billed for a call, in USD; None when it says nothing."""
    if not call.cost_estimated:
        return call.cost
    price = call.offering.price
    if call.billed_units is None or price is None:
        return None
    return pricing.rounded(call.billed_units * price)


def expected(call: Call) -> Decimal:
    """What the price list expects of a call, by the size delivered. Sources of an edit are taken to be as large."""
    offering = call.offering
    size = pixels_of(call.delivered_size)
    return pricing.price_of(
        Decimal(offering.price or 0),
        offering.price_unit,
        *size,
        n=call.n,
        input_sizes=(size,) if offering.mode == "edit" else (),
        details=offering.price_details,
    )
