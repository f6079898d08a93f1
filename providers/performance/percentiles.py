"""How fast and how reliable an offering is: percentiles and success rates over recent Calls, counted by Postgres.

A call's time runs from sending the request to holding the image's bytes, download included, on our own clock; only
successful calls for a single image have one. Where a job is polled it is known to 5 % (adapters/wire.py). Beside it
stands the time that the provider reports about itself, where it does. Time to first byte means something only for
synchronous answers, and is shown only where every timed call has one: a provider that answers quick jobs at once and
has slow ones polled would be judged by the quick ones. Percentiles interpolate linearly (`percentile_cont`) and are not
shown from too few samples: a p95 of three calls is their maximum in disguise.

The success rate is successes / (successes + provider's faults). Refusals, our own account's troubles, throttling and
bad requests say nothing about the provider's reliability; they are counted apart so that nothing is swept away. Every
call counts, also one that a fallback made good: this is what an offering does.

Everything here is read from the index `call_offering_times` alone; see benchmarks/calls.py. Pages, which show many at
once, read what summaries.py stores of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Q, QuerySet
from django.utils import timezone

from providers.errors import OUTCOMES_AT_FAULT
from providers.models import Call

WINDOW = timedelta(days=30)
SAMPLES_FOR_P50 = 5
SAMPLES_FOR_P95 = 20


@dataclass(frozen=True, slots=True)
class Times:
    """Two percentiles and from how many samples; each is None while there are too few of them."""

    samples: int = 0
    p50: timedelta | None = None
    p95: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Performance:
    """What became of some calls, every call counted once, and how long the successful ones took."""

    duration: Times = Times()
    ttfb: Times = Times()
    provider_time: Times = Times()  # as the provider reports it; without a p95
    succeeded: int = 0
    failed: int = 0  # the provider's fault: timeouts, 5xx, lost connections, unusable images
    refused: int = 0  # content policy
    rate_limited: int = 0
    account_errors: int = 0  # our key, our credit, our catalogue
    bad_requests: int = 0  # what the caller sent could not be used
    cancelled: int = 0
    requests: int = 0  # that ended with one of these calls, well or by a provider's fault, after all falling back …
    requests_succeeded: int = 0  # … and of those that ended well
    as_of: datetime | None = None  # when it was counted; None: just now

    @property
    def calls(self) -> int:
        return (
            self.succeeded
            + self.failed
            + self.refused
            + self.rate_limited
            + self.account_errors
            + self.bad_requests
            + self.cancelled
        )

    @property
    def judged(self) -> int:
        """The calls that say something about reliability: n of the "n/n" beside the success rate."""
        return self.succeeded + self.failed

    @property
    def success_rate(self) -> float | None:
        return self.succeeded / self.judged if self.judged else None


def of_offerings(offerings: Iterable[int], window: timedelta = WINDOW) -> dict[int, Performance]:
    """Every offering's performance over `window` by its id, in one query; empty for one without calls."""
    pks = list(offerings)
    recent = Call.objects.filter(offering_id__in=pks, started_at__gte=timezone.now() - window)
    performance = {row["offering_id"]: shown(row) for row in counted(recent, "offering_id")}
    return {pk: performance.get(pk, Performance()) for pk in pks}


class _Percentile(Aggregate):
    """percentile_cont(fraction) in seconds: linear between neighbours, NULLs left out. Both fractions share one sort.

    Seconds, because Postgres sorts floats nearly three times as fast as intervals.
    """

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY date_part('epoch', %(expressions)s))"
    output_field = FloatField()

    def __init__(self, column: str, fraction: float) -> None:
        super().__init__(F(column), filter=_TIMED, fraction=fraction)


_TIMED = Q(outcome="ok", n=1, duration__gt=timedelta(0))  # 0: nobody has waited for it (routing/open_jobs.py)


def _count(*outcomes: str, **where: Any) -> Count:
    return Count("outcome", filter=Q(outcome__in=outcomes, **where))  # not "pk": that one is not in the index


def counted(calls: QuerySet[Call], *group: str) -> Iterable[dict[str, Any]]:
    """The figures of these calls per group, as `CallSummary` stores them: the one place where they are defined."""
    rows: Iterable[dict[str, Any]] = (
        calls.order_by()
        .values(*group)
        .annotate(
            timed=Count("outcome", filter=_TIMED),
            p50=_Percentile("duration", 0.5),
            p95=_Percentile("duration", 0.95),
            ttfb_timed=Count("ttfb", filter=_TIMED),
            ttfb_p50=_Percentile("ttfb", 0.5),
            ttfb_p95=_Percentile("ttfb", 0.95),
            provider_timed=Count("provider_time", filter=_TIMED),
            provider_p50=_Percentile("provider_time", 0.5),
            succeeded=_count("ok"),
            failed=_count(*OUTCOMES_AT_FAULT),
            refused=_count("content_policy"),
            rate_limited=_count("rate_limited"),
            account_errors=_count("auth", "billing", "not_found"),
            bad_requests=_count("invalid_request", "input_unreachable"),
            cancelled=_count("cancelled"),
            requests=_count("ok", *OUTCOMES_AT_FAULT, ends_request=True),
            requests_succeeded=_count("ok", ends_request=True),
        )
    )
    return rows


COUNTS = (
    "succeeded", "failed", "refused", "rate_limited", "account_errors", "bad_requests", "cancelled",
    "requests", "requests_succeeded",
)  # fmt: skip


def shown(row: Mapping[str, Any]) -> Performance:
    """Figures as they may be shown: percentiles of enough samples only."""
    return Performance(
        duration=_times(row["timed"], row["p50"], row["p95"]),
        ttfb=_times(row["ttfb_timed"], row["ttfb_p50"], row["ttfb_p95"])
        if row["ttfb_timed"] == row["timed"]
        else Times(row["ttfb_timed"]),
        provider_time=_times(row["provider_timed"], row["provider_p50"], None),
        as_of=row.get("as_of"),
        **{name: row[name] for name in COUNTS},
    )


def _times(samples: int, p50: float | None, p95: float | None) -> Times:
    """From seconds to what is shown."""
    return Times(
        samples,
        None if p50 is None or samples < SAMPLES_FOR_P50 else timedelta(seconds=p50),
        None if p95 is None or samples < SAMPLES_FOR_P95 else timedelta(seconds=p95),
    )
