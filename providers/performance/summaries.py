"""Performance as pages read it: counted every minute or so into `CallSummary`, read back in milliseconds.

The figures are those of performance.py, exact and not merged from parts, so a percentile of 30 days is the percentile
of 30 days. Counting takes seconds where there are millions of calls; the pauses between two counts grow with it, to a
quarter of an hour at most, so that it never takes more than a hundredth of a core. Every figure says when it was
counted. A day that is over is counted once more after it and then stands.
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

from providers.models import Call, CallSummary, Offering, OfferingQuerySet
from providers.performance.percentiles import COUNTS, WINDOW, Performance, counted, shown

DAYS = 30
SHARE = 100  # a count may begin again after so many times what the last one took …
SHORTEST, LONGEST = 20.0, 900.0  # … but after so many seconds at least, and at most
STRAGGLERS = timedelta(hours=1)  # a call is counted on the day it began, also when it ended after midnight
_GROUPS = {"offering": "offering_id", "model": "offering__image_model_id", "provider": "offering__provider"}
_FIGURES = {"timed", "p50", "p95", "ttfb_timed", "ttfb_p50", "ttfb_p95", *COUNTS}
_LOCK = 0x5CA11  # of the advisory lock: one count at a time
_RESTS = "call-summaries:resting"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One offering in a table: the quicker the higher, those without enough samples last. Ranks begin at 1."""

    rank: int | None
    offering: Offering
    performance: Performance


@dataclass(frozen=True, slots=True)
class Record:
    """Of a model over all its offerings, or of a provider over all its models: as a whole, and one by one."""

    overall: Performance
    offerings: tuple[Ranked, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One point of a chart; without calls there is nothing in it."""

    day: date
    performance: Performance


# Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_offerings(offerings: Iterable[int]) -> dict[int, Performance]:
    """The last 30 days of every offering by its id; one without calls has nothing in it."""
    wanted = list(offerings)
    found = _read("offering", map(str, wanted))
    return {pk: found.get(str(pk), Performance()) for pk in wanted}


def measured() -> Subquery:
    """To annotate offerings with: their last 30 days as JSON, for `shown`. None for one without calls."""
    own = CallSummary.objects.filter(scope="offering", key=Cast(OuterRef("pk"), TextField()), day=None).order_by()
    fields = {each.name: each.name for each in CallSummary._meta.fields if each.name in _FIGURES}
    return Subquery(own.values(figures=JSONObject(**fields)), output_field=JSONField())


def of_figures(figures: Mapping[str, Any] | None) -> Performance:
    """What `measured` annotated. It does not say when it was counted."""
    return Performance() if figures is None else shown(figures)


def of_models(image_models: Iterable[int]) -> dict[int, Performance]:
    """The last 30 days of every model over all its offerings."""
    wanted = list(image_models)
    found = _read("model", map(str, wanted))
    return {pk: found.get(str(pk), Performance()) for pk in wanted}


def of_model(image_model: int, mode: str = "") -> Record:
    """A model as a whole and its offerings, ranked; with a mode, only the offerings in it."""
    offerings = Offering.objects.filter(image_model=image_model)
    overall = _read("model", [str(image_model)]).get(str(image_model), Performance())
    return Record(overall, _ranked(offerings.filter(mode=mode) if mode else offerings))


def of_provider(provider: str) -> Record:
    """A provider as a whole and its offerings, ranked."""
    overall = _read("provider", [provider]).get(provider, Performance())
    return Record(overall, _ranked(Offering.objects.filter(provider=provider)))


def daily_of_offering(offering: int) -> tuple[Day, ...]:
    return _daily("offering", [str(offering)])[str(offering)]


def daily_of_offerings(offerings: Iterable[int]) -> dict[int, tuple[Day, ...]]:
    """The same for several, in one query: a line each in one chart."""
    wanted = list(offerings)
    found = _daily("offering", map(str, wanted))
    return {pk: found[str(pk)] for pk in wanted}


def of_offerings_and_days(offerings: Iterable[int]) -> tuple[dict[int, Performance], dict[int, tuple[Day, ...]]]:
    """The last 30 days of every offering as a whole, and day by day. One query."""
    wanted, days = list(offerings), _last_days()
    rows = list(
        CallSummary.objects.filter(
            Q(day=None) | Q(day__gte=days[0]), scope="offering", key__in=[str(pk) for pk in wanted]
        ).values()
    )
    found = {(row["key"], row["day"]): shown(row) for row in rows}
    return (
        {pk: found.get((str(pk), None), Performance()) for pk in wanted},
        {pk: tuple(Day(day, found.get((str(pk), day), Performance())) for day in days) for pk in wanted},
    )


def daily_of_model(image_model: int) -> tuple[Day, ...]:
    return _daily("model", [str(image_model)])[str(image_model)]


def daily_of_provider(provider: str) -> tuple[Day, ...]:
    return _daily("provider", [provider])[provider]


def _read(scope: str, keys: Iterable[str]) -> dict[str, Performance]:
    rows = CallSummary.objects.filter(scope=scope, key__in=list(keys), day=None).values()
    return {row["key"]: shown(row) for row in rows}


def _daily(scope: str, keys: Iterable[str]) -> dict[str, tuple[Day, ...]]:
    """The last 30 days, today the last of them, whether or not there were calls."""
    wanted, days = list(keys), _last_days()
    rows = CallSummary.objects.filter(scope=scope, key__in=wanted, day__gte=days[0]).values()
    found = {(row["key"], row["day"]): shown(row) for row in rows}
    return {key: tuple(Day(day, found.get((key, day), Performance())) for day in days) for key in wanted}


def _last_days() -> list[date]:
    today = _today()
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def _ranked(offerings: OfferingQuerySet) -> tuple[Ranked, ...]:
    rows: list[Offering] = list(offerings.select_related("image_model"))
    found = of_offerings(row.pk for row in rows)
    late = timedelta.max
    rows.sort(key=lambda row: (found[row.pk].duration.p50 or late, -found[row.pk].calls, str(row)))
    return tuple(
        Ranked(rank if found[row.pk].duration.p50 else None, row, found[row.pk]) for rank, row in enumerate(rows, 1)
    )


# Counting ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keep() -> bool:
    """Count again, unless the last count was too dear to be repeated already. True when it was done."""
    if cache.get(_RESTS):
        return False
    started = monotonic()
    if not count():
        return False
    cache.set(_RESTS, True, min(LONGEST, max(SHORTEST, SHARE * (monotonic() - started))))
    return True


def count() -> bool:
    """Write all summaries anew, days that stand excepted. False when another process is at it."""
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")  # percentiles sort; on disk it takes three times as long
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return False
        since = max(_unsettled(), _today() - timedelta(days=DAYS - 1))
        rows = [*_window(now), *_days(now, since)]
        CallSummary.objects.filter(day=None).delete()
        CallSummary.objects.filter(day__gte=since).delete()
        CallSummary.objects.filter(day__lt=_today() - timedelta(days=DAYS)).delete()
        CallSummary.objects.bulk_create(rows, batch_size=1000)
    return True


def _unsettled() -> date:
    """The first day that has to be counted (again): one that was counted before it was over, or never."""
    latest = CallSummary.objects.filter(day__isnull=False).order_by("-day", "as_of").first()
    if latest is None or latest.day is None:
        return date.min
    return min(latest.day, (latest.as_of - STRAGGLERS).astimezone(UTC).date())


def _window(now: datetime) -> Iterable[CallSummary]:
    calls = Call.objects.filter(offering_id__in=_everything(), started_at__gte=now - WINDOW, started_at__lt=now)
    for scope, group in _GROUPS.items():
        for row in counted(calls, group):
            yield CallSummary(scope=scope, key=str(row.pop(group)), as_of=now, **row)


def _days(now: datetime, since: date) -> Iterable[CallSummary]:
    begin = datetime.combine(since, time.min, UTC)
    calls = Call.objects.filter(offering_id__in=_everything(), started_at__gte=begin, started_at__lt=now)
    calls = calls.annotate(day=TruncDate("started_at", tzinfo=UTC))
    for scope, group in _GROUPS.items():
        for row in counted(calls, group, "day"):
            yield CallSummary(scope=scope, key=str(row.pop(group)), as_of=now, **row)


def _everything() -> list[int]:
    """Named one by one, offerings are looked up in the index by offering and time."""
    return list(Offering.objects.values_list("pk", flat=True))


def _today() -> date:
    return timezone.now().astimezone(UTC).date()
