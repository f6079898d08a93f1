"""The time one attempt may take, from the first byte sent to the last byte of the image – or until it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from providers.errors import Cancelled, TimedOut

CONNECT_TIMEOUT = 5.0  # a host that does not answer within this is down; the rest of the time belongs to the next one


class Deadline:
    """The time limit of one attempt: requests, waiting, polling and downloads together.

    `stop` is the caller's: when it is set, from any thread, every wait on this deadline raises Cancelled at once. A
    request that is on its way is not broken off – the provider would do and bill the work all the same – but no other
    starts. `usual` are the seconds that such an attempt usually takes, 0 when that is not known: polls are as close as
    measuring it needs.
    """

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        stop: threading.Event | None = None,
        usual: float = 0.0,
    ) -> None:
        self.seconds = seconds
        self.usual = usual
        self._clock = clock
        self._end = clock() + seconds
        self._stop = stop

    @property
    def may_be_stopped(self) -> bool:
        return self._stop is not None

    @property
    def left(self) -> float:
        return max(0.0, self._end - self._clock())

    def check(self, doing: str, *, possibly_charged: bool = False) -> float:
        """The seconds left; raises TimedOut when there are none, Cancelled when the caller has left."""
        if self._stop is not None and self._stop.is_set():
            raise Cancelled("The caller has left.", detail=doing, possibly_charged=possibly_charged)
        return self.check_time(doing, possibly_charged=possibly_charged)

    def check_time(self, doing: str, *, possibly_charged: bool = False) -> float:
        """The same, but `stop` is not looked at: an answer names the job that is to be cancelled."""
        left = self.left
        if left <= 0:
            raise TimedOut(
                f"Not done within {self.seconds:g} s.", detail=f"while {doing}", possibly_charged=possibly_charged
            )
        return left

    def sleep(self, seconds: float, doing: str, *, possibly_charged: bool = False) -> None:
        """Sleeps, but not past the end; raises TimedOut when the end is reached, Cancelled as soon as it is stopped."""
        pause = min(seconds, self.check(doing, possibly_charged=possibly_charged))
        if self._stop is None:
            time.sleep(pause)
        else:
            self._stop.wait(pause)
        self.check(doing, possibly_charged=possibly_charged)
