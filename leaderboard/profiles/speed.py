"""How quick and reliable a model's offerings are: the last 30 days of real requests of any client, and each day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext

from leaderboard import charts
from leaderboard.profiles.offerings import Seller
from providers import accounts
from providers.models import Offering
from providers.performance import summaries
from providers.performance.percentiles import Performance
from providers.performance.summaries import DayPerformance
from providers.web.sentence import per_cent

FEW_DAYS = 3  # with fewer, a line by day would be a picture of nothing


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One provider in one mode."""

    provider: str
    name: str
    is_simulated: bool
    performance: Performance
    days: tuple[DayPerformance, ...]

    @property
    def p50(self) -> float | None:
        return _seconds(self.performance.duration.p50)

    @property
    def p95(self) -> float | None:
        return _seconds(self.performance.duration.p95)

    @property
    def ttfb(self) -> float | None:
        return _seconds(self.performance.ttfb.p50)

    @property
    def provider_time(self) -> float | None:
        """The median of the provider's own times."""
        return _seconds(self.performance.provider_time.p50)

    @property
    def p50_by_day(self) -> charts.Spark | None:
        return _line((_seconds(day.performance.duration.p50) for day in self.days), low=0.0)

    @property
    def ttfb_by_day(self) -> charts.Spark | None:
        return _line((_seconds(day.performance.ttfb.p50) for day in self.days), low=0.0)

    @property
    def success_by_day(self) -> charts.Spark | None:
        rates = (day.performance.success_rate for day in self.days)
        return _line(rates, low=0.0, high=1.0, write=lambda rate: per_cent(round(rate * 100)))


@dataclass(frozen=True, slots=True)
class Speed:
    rows: tuple[SpeedRow, ...]  # the quickest first, those with too few calls last
    slowest: float  # the longest time on the page, in seconds: what the bars are drawn against
    slowest_ttfb: float

    @property
    def fastest(self) -> SpeedRow | None:
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
    """Of the offerings of a model, as the periodic task last counted their calls. One query."""
    offerings = [seller.offering for seller in sellers]
    if not offerings:
        return Speed((), 0.0, 0.0)
    pks = [offering.pk for offering in offerings]
    measured, days = summaries.of_offerings_and_days(pks)
    modes = {offering.mode for offering in offerings}
    return ranked(
        SpeedRow(
            offering.provider,
            _name(offering, with_mode=len(modes) > 1),
            accounts.is_simulated(offering.provider),
            measured[offering.pk],
            days[offering.pk],
        )
        for offering in offerings
    )


def ranked(rows: Iterable[SpeedRow]) -> Speed:
    """Those that were asked at all, the quickest first."""
    asked = [row for row in rows if row.performance.calls]
    asked.sort(key=lambda row: (row.p50 is None, row.p50 or 0.0, row.name))
    return Speed(
        tuple(asked),
        max((value for row in asked for value in (row.p50, row.p95) if value is not None), default=0.0),
        max((row.ttfb for row in asked if row.ttfb is not None), default=0.0),
    )


def _name(offering: Offering, with_mode: bool) -> str:
    name = accounts.name_of(offering.provider)
    mode = gettext("edit") if offering.mode == "edit" else gettext("text to image")
    return f"{name}, {mode}" if with_mode else name


def _line(
    values: Iterable[float | None],
    low: float,
    high: float | None = None,
    write: Callable[[float], str] = charts.SPEED.write,
) -> charts.Spark | None:
    figures = list(values)
    if sum(value is not None for value in figures) < FEW_DAYS:
        return None
    return charts.spark(figures, write, low=low, high=high)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
