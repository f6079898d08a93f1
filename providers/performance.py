"""How fast and how reliable an offering is: percentiles and success rates over recent Calls, counted by Postgres.

A call's time runs from sending the request to holding the image's bytes, download included, on our own clock; only
successful calls have one. Time to first byte means something only for synchronous answers, so it has its own, smaller
sample. Percentiles interpolate linearly (`percentile_cont`) and are not shown from too few samples: a p95 of three
calls is their maximum in disguise.

The success rate is successes / (successes + provider's faults). Refusals, our own account's troubles, throttling and
bad requests say nothing about the provider's reliability; they are counted apart so that nothing is swept away.
Every call counts, also one that a fallback made good: this is what an offering does, not what a caller of ours gets.

Everything here is read from the index `call_offering_recent` alone; see benchmarks/calls.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Q
from django.utils import timezone

from .errors import OUTCOMES_AT_FAULT
from .models import Call

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
    succeeded: int = 0
    failed: int = 0  # the provider's fault: timeouts, 5xx, lost connections, unusable images
    refused: int = 0  # content policy
    rate_limited: int = 0
    account_errors: int = 0  # our key, our credit, our catalogue
    bad_requests: int = 0  # what the caller sent could not be used
    cancelled: int = 0

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
    """Every offering's performance by its id, in one query. One without calls is in the answer, with nothing in it."""
    wanted = list(offerings)
    found = _measured("offering_id", wanted, window)
    return {offering: found.get(offering, Performance()) for offering in wanted}


def of_providers(offerings: Iterable[int], window: timedelta = WINDOW) -> dict[str, Performance]:
    """The performance of each provider over these offerings of its, in one query; providers without calls are absent.

    This sorts the times of every call of the window: for pages, keep the answer some minutes.
    """
    return _measured("offering__provider", list(offerings), window)


class _Percentile(Aggregate):
    """percentile_cont(fraction) in seconds: linear between neighbours, NULLs left out. Both fractions share one sort.

    Seconds, because Postgres sorts floats nearly three times as fast as intervals.
    """

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY date_part('epoch', %(expressions)s))"
    output_field = FloatField()

    def __init__(self, column: str, fraction: float) -> None:
        super().__init__(F(column), filter=Q(outcome="ok"), fraction=fraction)


def _count(*outcomes: str) -> Count:
    return Count("outcome", filter=Q(outcome__in=outcomes))  # not "pk": that one is not in the index


def _measured(group: str, offerings: list[int], window: timedelta) -> dict[Any, Performance]:
    rows = (
        Call.objects.filter(offering_id__in=offerings, started_at__gte=timezone.now() - window)
        .order_by()
        .values(group)
        .annotate(
            n_ttfb=Count("ttfb", filter=Q(outcome="ok")),
            p50=_Percentile("duration", 0.5),
            p95=_Percentile("duration", 0.95),
            ttfb_p50=_Percentile("ttfb", 0.5),
            ttfb_p95=_Percentile("ttfb", 0.95),
            succeeded=_count("ok"),
            failed=_count(*OUTCOMES_AT_FAULT),
            refused=_count("content_policy"),
            rate_limited=_count("rate_limited"),
            account_errors=_count("auth", "billing", "not_found"),
            bad_requests=_count("invalid_request", "input_unreachable"),
            cancelled=_count("cancelled"),
        )
    )
    return {
        row.pop(group): Performance(
            duration=_times(row["succeeded"], row.pop("p50"), row.pop("p95")),
            ttfb=_times(row.pop("n_ttfb"), row.pop("ttfb_p50"), row.pop("ttfb_p95")),
            **row,
        )
        for row in rows
    }


def _times(samples: int, p50: float | None, p95: float | None) -> Times:
    """From seconds to what is shown."""
    return Times(
        samples,
        None if p50 is None or samples < SAMPLES_FOR_P50 else timedelta(seconds=p50),
        None if p95 is None or samples < SAMPLES_FOR_P95 else timedelta(seconds=p95),
    )
