"""How quick the offerings of a model are, in the order of their medians."""

from __future__ import annotations

from datetime import timedelta

from leaderboard.profiles.speed import SpeedRow, ranked
from providers.performance.percentiles import Performance, Times


def times(p50: float | None, p95: float | None = None) -> Times:
    """Of seconds."""
    low, high = (None if value is None else timedelta(seconds=value) for value in (p50, p95))
    return Times(20, low, high)


def row(name: str, p50: float | None = None, p95: float | None = None, calls: int = 20) -> SpeedRow:
    """An offering's times, in seconds; its first byte comes after half of the median."""
    first_byte = times(None if p50 is None else p50 / 2)
    return SpeedRow(name, name, False, Performance(times(p50, p95), first_byte, succeeded=calls, failed=1), ())


def test_the_quickest_comes_first_and_bars_are_drawn_against_the_longest_time_of_all():
    slow, quick, few = row("slow", 9.0, 30.0), row("quick", 2.0, 40.0), row("few calls", calls=2)
    speed = ranked([few, slow, quick])
    assert speed.rows == (quick, slow, few)
    assert speed.fastest is quick
    assert (speed.slowest, speed.slowest_ttfb) == (40.0, 4.5)
    assert (speed.calls, speed.failed) == (45, 3)


def test_without_a_median_nobody_is_the_quickest_and_who_was_never_asked_is_not_listed():
    few = row("few calls", calls=2)
    never = SpeedRow("never", "never", False, Performance(), ())
    speed = ranked([never, few])
    assert (speed.rows, speed.fastest, speed.slowest) == ((few,), None, 0.0)
