"""Whether this machine's clock can be trusted.

Leases and due times are written by one machine and compared by another, so a worker whose clock is minutes ahead would
take from others what they are working on, and buy it again; one that is behind would lose what it works on. The time
that all machines share is the database's.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from time import time
from typing import ParamSpec

from django.db import connection

from providers.cache import ProcessCache

log = logging.getLogger(__name__)

MAX_SECONDS = 5.0  # by which a clock may differ
CHECKED_EVERY = 30.0  # seconds

Arguments = ParamSpec("Arguments")
_known: ProcessCache[str, str] = ProcessCache(seconds=CHECKED_EVERY, max_entries=1)


def ahead() -> float:
    """Seconds by which this machine's clock is certainly ahead of the database's; negative: behind. A slow answer makes
    less certain, and so the number smaller. Raises DatabaseError."""
    with connection.cursor() as cursor:
        before = time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        (there,) = cursor.fetchone()
        after = time()
    return max(0.0, before - float(there)) or min(0.0, after - float(there))


def difference(seconds: float) -> str:
    """In words, "" for one that does no harm."""
    if abs(seconds) <= MAX_SECONDS:
        return ""
    return f"this machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database's"


def trouble() -> str:
    """Why leases cannot be trusted here, "" when they can; known for CHECKED_EVERY. Raises DatabaseError."""
    return _known.get_or_compute("trouble", _look)


def _look() -> str:
    text = difference(ahead())
    if text:
        log.error("No task that compares times is run: %s.", text)
    return text


def needs_right_clock(task: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A task that does nothing while this machine's clock is wrong: rows are the queue, so another machine does it."""

    @functools.wraps(task)
    def guarded(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> None:
        if not trouble():
            task(*arguments, **keywords)

    return guarded
