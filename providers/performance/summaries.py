"""Performance as pages read it: computed every minute or so into `CallSummary`, read back in milliseconds.

The figures are those of percentiles.py, exact and not merged from parts, so a percentile of 30 days is the percentile
of 30 days. Computing takes seconds where there are millions of calls; the pauses between two refreshes grow with it, to
a quarter of an hour at most, so that it never takes more than a hundredth of a core. Every figure says when it was
computed. A day that is over is computed once more after it and then final.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import JSONField, OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast, JSONObject, TruncDate
from django.utils import timezone

from providers.models import Call, CallSummary, Offering
from providers.performance.percentiles import COUNTS, WINDOW, Performance, counted, shown

DAYS = 30
PAUSE_FACTOR = 100  # between two refreshes: so many times what the last one took …
MIN_PAUSE, MAX_PAUSE = 20.0, 900.0  # … within these seconds
LATE_CALLS = timedelta(hours=1)  # a call counts on the day it started, also when it ended after midnight
_GROUPS = {"offering": "offering_id", "provider": "offering__provider"}
_FIGURES = {"timed", "p50", "p95", "ttfb_timed", "ttfb_p50", "ttfb_p95", "provider_timed", "provider_p50", *COUNTS}
_LOCK = 0x5CA11  # of the advisory lock: one refresh at a time
_PAUSING = "call-summaries:pausing"


@dataclass(frozen=True, slots=True)
class DayPerformance:
    """One point of a chart; without calls its performance is empty."""

    day: date
    performance: Performance


# Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_offerings(offerings: Iterable[int]) -> dict[int, Performance]:
    """The last 30 days of every offering by its id; empty for one without calls."""
    pks = list(offerings)
    rows = CallSummary.objects.filter(scope="offering", key__in=list(map(str, pks)), day=None).values()
    performance = {row["key"]: shown(row) for row in rows}
    return {pk: performance.get(str(pk), Performance()) for pk in pks}


def measured() -> Subquery:
    """To annotate offerings with: their last 30 days as JSON, for `of_figures`. None for one without calls."""
    own = CallSummary.objects.filter(scope="offering", key=Cast(OuterRef("pk"), TextField()), day=None).order_by()
    fields = {field.name: field.name for field in CallSummary._meta.fields if field.name in _FIGURES}
    return Subquery(own.values(figures=JSONObject(**fields)), output_field=JSONField())


def of_figures(figures: Mapping[str, Any] | None) -> Performance:
    """What `measured` annotated; without the time it was computed at."""
    return Performance() if figures is None else shown(figures)


def of_provider(provider: str) -> tuple[Performance, tuple[DayPerformance, ...]]:
    """The last 30 days of a provider over all its offerings as a whole, and day by day. One query."""
    overall, days = _with_days("provider", [provider])
    return overall[provider], days[provider]


def of_offerings_and_days(
    offerings: Iterable[int],
) -> tuple[dict[int, Performance], dict[int, tuple[DayPerformance, ...]]]:
    """The last 30 days of every offering by its id as a whole, and day by day. One query."""
    pks = list(offerings)
    overall, days = _with_days("offering", list(map(str, pks)))
    return {pk: overall[str(pk)] for pk in pks}, {pk: days[str(pk)] for pk in pks}


def _with_days(scope: str, keys: list[str]) -> tuple[dict[str, Performance], dict[str, tuple[DayPerformance, ...]]]:
    """By key: the 30 days as a whole, and all days in order, today the last of them."""
    today = _today()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    rows = CallSummary.objects.filter(Q(day=None) | Q(day__gte=days[0]), scope=scope, key__in=keys).values()
    performance = {(row["key"], row["day"]): shown(row) for row in rows}
    return (
        {key: performance.get((key, None), Performance()) for key in keys},
        {key: tuple(DayPerformance(day, performance.get((key, day), Performance())) for day in days) for key in keys},
    )


# Computing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def refresh() -> bool:
    """Compute again, unless the last time took too long to be repeated already. True when it was done."""
    if cache.get(_PAUSING):
        return False
    started = monotonic()
    if not compute():
        return False
    cache.set(_PAUSING, True, min(MAX_PAUSE, max(MIN_PAUSE, PAUSE_FACTOR * (monotonic() - started))))
    return True


def compute() -> bool:
    """Recompute all summaries, except those of final days. False when another process is doing it."""
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")  # percentiles sort; on disk it takes three times as long
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return False
        since = max(_first_open_day(), _today() - timedelta(days=DAYS - 1))
        rows = [*_window(now), *_days(now, since)]
        CallSummary.objects.filter(day=None).delete()
        CallSummary.objects.filter(day__gte=since).delete()
        CallSummary.objects.filter(day__lt=_today() - timedelta(days=DAYS)).delete()
        CallSummary.objects.bulk_create(rows, batch_size=1000)
    return True


def _first_open_day() -> date:
    """The first day to compute (again): one that was computed before it was over, or never."""
    latest = CallSummary.objects.filter(day__isnull=False).order_by("-day", "as_of").first()
    if latest is None or latest.day is None:
        return date.min
    return min(latest.day, (latest.as_of - LATE_CALLS).astimezone(UTC).date())


def _window(now: datetime) -> Iterable[CallSummary]:
    calls = Call.objects.filter(offering_id__in=_all_offerings(), started_at__gte=now - WINDOW, started_at__lt=now)
    for scope, group in _GROUPS.items():
        for row in counted(calls, group):
            yield CallSummary(scope=scope, key=str(row.pop(group)), as_of=now, **row)


def _days(now: datetime, since: date) -> Iterable[CallSummary]:
    start = datetime.combine(since, time.min, UTC)
    calls = Call.objects.filter(offering_id__in=_all_offerings(), started_at__gte=start, started_at__lt=now)
    calls = calls.annotate(day=TruncDate("started_at", tzinfo=UTC))
    for scope, group in _GROUPS.items():
        for row in counted(calls, group, "day"):
            yield CallSummary(scope=scope, key=str(row.pop(group)), as_of=now, **row)


def _all_offerings() -> list[int]:
    """Given one by one, offerings are looked up in the index by offering and time."""
    return list(Offering.objects.values_list("pk", flat=True))


def _today() -> date:
    return timezone.now().astimezone(UTC).date()
