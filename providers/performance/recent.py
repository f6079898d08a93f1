"""Which offerings should be called first, judged by the calls of the last quarter of an hour.

Unhealthy are those that failed more often than not, and those that became much slower than they have been over the day.
They are called last instead of never: with no other offering a bad one is better than none. When the bad quarter of an
hour is over, nothing speaks against them any more and they are called in their turn again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import gettext

from providers.cache import ProcessCache
from providers.performance import percentiles
from providers.performance.percentiles import Performance

WINDOW, DAY = timedelta(minutes=15), timedelta(days=1)
MIN_CALLS = 4  # fewer calls are too few to judge by
SLOWER = 3  # times the day's median …
SLOWER_BY = timedelta(seconds=5)  # … and by at least this much

# Performance by offering, over each of the two windows.
_recent: ProcessCache[int, Performance] = ProcessCache(seconds=5, max_entries=10_000)
_usual: ProcessCache[int, Performance] = ProcessCache(seconds=300, max_entries=10_000)


def troubles(offerings: Iterable[int]) -> dict[int, str]:
    """What speaks against calling some of these offerings (by id) first, in the active language; others are absent."""
    ids = list(offerings)
    recent = _recent.get_or_compute_many(ids, lambda missing: percentiles.of_offerings(missing, WINDOW))
    usual = _usual.get_or_compute_many(ids, lambda missing: percentiles.of_offerings(missing, DAY))
    troubled = {offering: _trouble(recent[offering], usual[offering]) for offering in ids}
    return {offering: trouble for offering, trouble in troubled.items() if trouble}


def usual_seconds(offering: int) -> float:
    """The median time of an offering's calls over the day; 0 where they are too few."""
    usual = _usual.get_or_compute_many([offering], lambda missing: percentiles.of_offerings(missing, DAY))
    median = usual[offering].duration.p50
    return 0.0 if median is None else median.total_seconds()


def _trouble(recent: Performance, usual: Performance) -> str:
    if recent.judged >= MIN_CALLS and recent.failed > recent.succeeded:
        failed = gettext("%(failed)s of %(calls)s calls failed in the last %(minutes)s minutes")
        return failed % {"failed": recent.failed, "calls": recent.judged, "minutes": WINDOW.seconds // 60}
    now, before = recent.duration.p50, usual.duration.p50
    if now and before and now > max(SLOWER * before, before + SLOWER_BY):
        slow = gettext("takes %(now)s s lately, %(before)s s over the day")
        return slow % {"now": f"{now.total_seconds():.0f}", "before": f"{before.total_seconds():.0f}"}
    return ""
