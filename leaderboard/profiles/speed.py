"""How quick and reliable a model's providers are: the last 30 days of real requests, whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from leaderboard.kept import MINUTE, kept
from providers import accounts, performance
from providers.performance import Performance

from .sellers import Seller

DAYS = performance.WINDOW.days


@dataclass(frozen=True, slots=True)
class Row:
    """One provider, over all modes in which it sells the model."""

    provider: str
    name: str
    is_simulated: bool
    performance: Performance

    @property
    def p50(self) -> float | None:
        return _seconds(self.performance.duration.p50)

    @property
    def p95(self) -> float | None:
        return _seconds(self.performance.duration.p95)

    @property
    def ttfb(self) -> float | None:
        return _seconds(self.performance.ttfb.p50)


@dataclass(frozen=True, slots=True)
class Speed:
    rows: tuple[Row, ...]  # the quickest first, those with too few calls last
    slowest: float  # the longest time on the page, in seconds: what the bars are drawn against
    slowest_ttfb: float

    @property
    def fastest(self) -> Row | None:
        return self.rows[0] if self.rows and self.rows[0].p50 is not None else None

    @property
    def calls(self) -> int:
        return sum(row.performance.calls for row in self.rows)

    @property
    def refused(self) -> int:
        return sum(row.performance.refused for row in self.rows)

    @property
    def failed(self) -> int:
        return sum(row.performance.failed for row in self.rows)

    @property
    def rate_limited(self) -> int:
        return sum(row.performance.rate_limited for row in self.rows)


def of_sellers(sellers: Sequence[Seller]) -> Speed:
    """Of the providers that sell a model. May be a minute old."""
    offerings = sorted(each.offering.pk for each in sellers)
    if not offerings:
        return Speed((), 0.0, 0.0)
    measured = kept("speed", *offerings, seconds=MINUTE, make=lambda: performance.of_providers(offerings))
    return ranked(measured)


def ranked(measured: dict[str, Performance]) -> Speed:
    rows = sorted(
        (
            Row(key, accounts.name_of(key), accounts.is_simulated(key), each)
            for key, each in measured.items()
            if each.calls
        ),
        key=lambda row: (row.p50 is None, row.p50 or 0.0, row.name),
    )
    return Speed(
        tuple(rows),
        max((value for row in rows for value in (row.p50, row.p95) if value is not None), default=0.0),
        max((row.ttfb for row in rows if row.ttfb is not None), default=0.0),
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
