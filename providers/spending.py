"""What the calls of a day have cost, whoever asked, and the cap on it (DAILY_SPEND_CAP, US dollars; a day is UTC's).

Calls that may have been charged count with their estimate. Calls of simulated providers cost nothing, whatever their
price list says. A call without a known price counts nothing until the provider states a cost.

How exact the cap is: a call is let through when what is recorded today and its own estimate fit. Calls under way are
not recorded yet, so the day can end above its cap by what is in flight at the moment it is reached: no more than the
sum over the providers of concurrency × the price of an image.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from . import accounts
from .errors import CapReached
from .models import Call, Offering

LOOK_AGAIN = 300.0  # seconds after which a generation that met the cap asks again


def cap() -> Decimal | None:
    """The daily cap in US dollars, None when there is none."""
    found: Decimal | None = settings.DAILY_SPEND_CAP
    return found


def today() -> Decimal:
    """What the calls begun today have cost, the possibly charged ones included."""
    offerings = [
        pk for pk, provider in Offering.objects.values_list("pk", "provider") if not accounts.is_simulated(provider)
    ]
    # Named one by one, they are looked up in the index by offering and time.
    found: Decimal | None = Call.objects.filter(
        Q(outcome="ok") | Q(possibly_charged=True), offering_id__in=offerings, started_at__gte=midnight()
    ).aggregate(total=Sum("cost"))["total"]
    return found or Decimal(0)


def midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def check(offering: Offering, cost: Decimal | None) -> None:
    """Pass, or raise CapReached: this call would take the day above its cap."""
    limit = cap()
    if limit is None or accounts.is_simulated(offering.provider):
        return
    spent = today()
    if spent + (cost or 0) <= limit and spent < limit:
        return
    tomorrow = (midnight() + timedelta(days=1) - timezone.now()).total_seconds()
    raise CapReached(
        f"{dollars(spent)} of the {dollars(limit)} that DAILY_SPEND_CAP allows a day are spent, and this call costs "
        f"{'an unknown amount' if cost is None else 'about ' + dollars(cost)}. Work goes on when the cap is raised, or "
        "after midnight UTC.",
        retry_after=min(LOOK_AGAIN, max(1.0, tomorrow)),
    )


def dollars(amount: Decimal) -> str:
    """An amount for a sentence: $0.0062, $0.04, $12.50."""
    text = f"{amount:.4f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"
