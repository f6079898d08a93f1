"""The same views behind an asynchronous server, which notices that a client has hung up.

Each request works in a thread of its own pool: that is the gateway's share of the machine, and pages have another. A
request beyond the pool is refused at once instead of waiting in a line that nobody sees.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from .client import Client
from .refusals import Refusal
from .views import refused

HEARTBEAT = 10.0  # seconds; proxies cut a stream in which nothing moves


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.GATEWAY_THREADS, thread_name_prefix="gateway")


class _Place:
    """One of the requests that may be under way; given back once, whoever is the last to need it."""

    _free = threading.Semaphore(0)
    _counted = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = True

    @classmethod
    def take(cls) -> _Place | None:
        if not cls._counted:  # settings are not there yet when this module is loaded
            cls._counted, cls._free = True, threading.Semaphore(settings.GATEWAY_THREADS)
        return cls() if cls._free.acquire(blocking=False) else None

    def leave(self, *_: Any) -> None:
        with self._lock:
            held, self._held = self._held, False
        if held:
            self._free.release()


def in_own_thread(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """The asynchronous twin of a view."""

    @functools.wraps(view)
    async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        place = _Place.take()
        if place is None:
            message = f"{settings.GATEWAY_THREADS} requests are under way, as many as GATEWAY_THREADS allows."
            headers = {"x-should-retry": "true", "Retry-After": "1"}
            return refused(Refusal(503, "overloaded", message, kind="server_error", headers=headers))
        client = Client()
        request.gateway_client, request.gateway_begun = client, monotonic()  # type: ignore[attr-defined]
        response: HttpResponseBase = await _run(client, place, functools.partial(view, request, *args, **kwargs))
        if isinstance(response, StreamingHttpResponse):
            weakref.finalize(response, place.leave)  # a stream that nobody has begun to read has no end either
            response.streaming_content = _stream(client, place, iter(response.streaming_content))  # type: ignore[arg-type]
        else:
            place.leave()
        return response

    return wrapped


async def _run(client: Client, place: _Place, work: Callable[..., Any], *args: Any) -> Any:
    """Work in a thread. When the server cancels us – the client has gone – the thread is told, and ends by itself."""
    future = asyncio.get_running_loop().run_in_executor(_threads(), _in_thread, work, *args)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(place.leave)
        threading.Thread(target=client.leave, daemon=True).start()  # it may ask the database
        raise
    except BaseException:
        place.leave()
        raise


def _in_thread(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    finally:
        close_old_connections()


async def _stream(client: Client, place: _Place, events: Iterator[bytes]) -> AsyncIterator[bytes]:
    end = object()
    step: asyncio.Task[Any] | None = None
    try:
        while True:
            step = asyncio.ensure_future(_run(client, place, next, events, end))
            while not (await asyncio.wait({step}, timeout=HEARTBEAT))[0]:
                yield b": still working\n\n"
            if (event := step.result()) is end:
                return
            yield event
    finally:
        if step is None or step.done():
            place.leave()
        else:
            step.cancel()  # its thread leaves the place when it ends
