"""Which offerings are fit to be asked first, judged by the calls of the last quarter of an hour.

Unfit are those that failed more often than not, and those that became much slower than they have been over the day.
They are asked last instead of never: with no other offering a bad one is better than none. When the bad quarter of an
hour is over, nothing speaks against them any more and they are asked in their turn again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from time import monotonic

from providers.performance import percentiles
from providers.performance.percentiles import Performance

WINDOW, DAY = timedelta(minutes=15), timedelta(days=1)
FEW = 4  # calls that are too few to judge by
SLOWER = 3  # times the day's median …
SLOWER_BY = timedelta(seconds=5)  # … and by at least this much


class _Recent:
    """Performance over a window, kept for some seconds in this process."""

    def __init__(self, window: timedelta, seconds: float) -> None:
        self.window, self.seconds = window, seconds
        self.kept: dict[int, tuple[float, Performance]] = {}

    def of(self, offerings: list[int]) -> dict[int, Performance]:
        now = monotonic()
        stale = [each for each in offerings if each not in self.kept or self.kept[each][0] <= now]
        if stale:
            found = percentiles.of_offerings(stale, self.window)
            self.kept |= {each: (now + self.seconds, found[each]) for each in stale}
        return {each: self.kept[each][1] for each in offerings}


_lately = _Recent(WINDOW, 5)
_usually = _Recent(DAY, 300)


def troubles(offerings: Iterable[int]) -> dict[int, str]:
    """What speaks against asking some of these offerings first, in words; the healthy ones are absent."""
    wanted = list(offerings)
    lately, usually = _lately.of(wanted), _usually.of(wanted)
    found = {each: _trouble(lately[each], usually[each]) for each in wanted}
    return {each: trouble for each, trouble in found.items() if trouble}


def _trouble(lately: Performance, usually: Performance) -> str:
    if lately.judged >= FEW and lately.failed > lately.succeeded:
        return f"{lately.failed} of {lately.judged} calls failed in the last {WINDOW.seconds // 60} minutes"
    now, before = lately.duration.p50, usually.duration.p50
    if now and before and now > max(SLOWER * before, before + SLOWER_BY):
        return f"takes {now.total_seconds():.0f} s lately, {before.total_seconds():.0f} s over the day"
    return ""


def forget() -> None:
    """Look again at the next question."""
    _lately.kept.clear()
    _usually.kept.clear()
