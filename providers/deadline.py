"""The time one attempt may take, from the first byte sent to the last byte of the image."""

from __future__ import annotations

import time
from collections.abc import Callable

from .errors import TimedOut

CONNECT_TIMEOUT = 5.0  # a host that does not answer within this is down; the rest of the time belongs to the next one


class Deadline:
    """The time limit of one attempt: requests, waiting, polling and downloads together."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - self._clock())

    def check(self, doing: str, *, possibly_charged: bool = False) -> float:
        """The seconds left; raises TimedOut when there are none."""
        left = self.left
        if left <= 0:
            raise TimedOut(f"Not done within {self.seconds:g} s ({doing}).", possibly_charged=possibly_charged)
        return left

    def sleep(self, seconds: float, doing: str, *, possibly_charged: bool = False) -> None:
        """Sleeps, but not past the end; raises TimedOut when the end is reached."""
        time.sleep(min(seconds, self.check(doing, possibly_charged=possibly_charged)))
        self.check(doing, possibly_charged=possibly_charged)
