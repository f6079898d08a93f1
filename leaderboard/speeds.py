"""How quick and reliable every offering was in the last 30 days, measured every few minutes and kept for the pages.

Percentiles sort every call of the month: seconds, with millions of calls. So the clock measures, and pages read rows.
"""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from providers import performance
from providers.models import Offering

from .models import Speed

SHARE_OF_TIME = 0.01  # measuring takes at most this part of the database's time …
SOONEST = 15.0  # … and is not done again before so many seconds are over
_RESTING = "speeds:resting"


def refresh() -> bool:
    """Measure if the last time is long enough ago; for the clock, as often as it likes."""
    if cache.get(_RESTING):
        return False
    began = monotonic()
    measure()
    cache.set(_RESTING, True, max(SOONEST, (monotonic() - began) / SHARE_OF_TIME))
    return True


def measure() -> int:
    """Measure every active offering anew; returns how many have calls to speak of."""
    offerings = list(Offering.objects.active().values_list("pk", flat=True))
    measured = performance.of_offerings(offerings)
    now = timezone.now()
    rows = [
        Speed(
            offering_id=offering,
            p50=_seconds(each.duration.p50),
            p95=_seconds(each.duration.p95),
            ttfb_p50=_seconds(each.ttfb.p50),
            succeeded=each.succeeded,
            failed=each.failed,
            refused=each.refused,
            measured_at=now,
        )
        for offering, each in measured.items()
        if each.calls
    ]
    with transaction.atomic():
        Speed.objects.all().delete()
        Speed.objects.bulk_create(rows)
    return len(rows)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
