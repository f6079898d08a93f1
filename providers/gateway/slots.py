"""The gateway's share of the machine: GATEWAY_THREADS slots, each for one request, and as many threads for their work.

Pages have threads of their own (config.entry.pages). How an event loop waits for a slot's threads is here; who gets
none is responded to in `asgi`.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from providers.connections.database import share_connections


def take() -> RequestSlot | None:
    """A slot for a request, which has to `release` it; None when as many requests run as may."""
    return RequestSlot() if _free().acquire(blocking=False) else None


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.GATEWAY_THREADS, thread_name_prefix="gateway", initializer=share_connections)


@functools.cache
def _free() -> threading.Semaphore:
    return threading.Semaphore(settings.GATEWAY_THREADS)


class RequestSlot:
    """One of the requests that may run at once; free again when the request is over and none of its threads runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 1

    def run(
        self, work: Callable[..., Any], *arguments: Any, discard: Callable[[Any], object] = lambda result: None
    ) -> asyncio.Future[Any]:
        """A future of the work's result. When the future has been cancelled, the result goes to `discard`.

        As `run_in_executor`, without its detour over a second future: every image comes through here.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            self._users += 1  # until the result is delivered: what discards it is work of the request, too

        def deliver(result: Any, error: BaseException | None) -> None:
            if future.cancelled():
                if error is None:
                    self.start(discard, result)
            elif error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
            self.release()

        def do() -> None:
            result, error = None, None
            try:
                result = work(*arguments)
            except BaseException as caught:
                error = caught
            try:
                loop.call_soon_threadsafe(deliver, result, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                self.release()
                if error is None:
                    discard(result)

        self.start(do)
        return future

    def start(self, work: Callable[..., object], *arguments: Any) -> None:
        """Run the work in a thread; nobody waits for its result."""
        with self._lock:
            self._users += 1
        # In the request's context, whose id is in the log.
        _threads().submit(contextvars.copy_context().run, self._in_thread, work, *arguments)

    def _in_thread(self, work: Callable[..., object], *arguments: Any) -> None:
        try:
            work(*arguments)
        finally:
            close_old_connections()
            self.release()

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            is_last = not self._users
        if is_last:
            _free().release()
