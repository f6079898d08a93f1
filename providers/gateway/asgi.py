"""The same views behind an asynchronous server, which notices that a client has hung up.

Each request works in a thread of its own pool, from its first statement to its last: that is the gateway's share of the
machine, and pages have another. A request beyond the pool is refused at once instead of waiting in a line that nobody
sees. Django's own asynchronous handler would do as well, but changes threads five times for each request.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import IO, Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from providers.gateway.disconnect import Client
from providers.gateway.errors import Refusal, invalid
from providers.gateway.uploads import too_large
from providers.gateway.views import refused

HEARTBEAT = 10.0  # seconds; proxies cut a stream in which nothing moves
IN_MEMORY = 4 * 2**20  # bytes of a request; what is larger is on disk while it comes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class HungUp(Exception):
    """The client is gone before it has said what it wants."""


class Gateway:
    """The ASGI application of the API."""

    def __init__(self) -> None:
        self._handler = BaseHandler()
        self._handler.load_middleware()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if not _free().acquire(blocking=False):
            await _send(send, _overloaded())
            return
        place, client, begun = _Place(), Client(), monotonic()
        try:
            try:
                request = _request(scope, await _read(scope, receive))
            except HungUp:
                return
            except Refusal as refusal:
                await _send(send, refused(refusal), close=True)  # the rest of the body is still coming
                return
            request.gateway_client, request.gateway_begun = client, begun  # type: ignore[attr-defined]
            watching = asyncio.create_task(_watch(receive, client))
            try:
                await self._answer(request, client, place, send)
            finally:
                watching.cancel()
        finally:
            place.leave()

    async def _answer(self, request: HttpRequest, client: Client, place: _Place, send: Send) -> None:
        """Where the client or the server ends us, the thread is told and ends by itself. Then its place is free."""
        try:
            response: HttpResponseBase = await place.run(
                self._handler.get_response, request, unwanted=HttpResponseBase.close
            )
        except asyncio.CancelledError:
            _tell(client)
            raise
        try:
            if isinstance(response, StreamingHttpResponse):
                await _send_stream(send, response, client, place)
            elif isinstance(response, HttpResponse):
                await _send(send, response)
        finally:
            place.begin(response.close)  # what is left to do, no client waits for (views._images)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.GATEWAY_THREADS, thread_name_prefix="gateway")


@functools.cache
def _free() -> threading.Semaphore:
    return threading.Semaphore(settings.GATEWAY_THREADS)


class _Place:
    """One of the requests that may be under way; free again when the request is over and none of its threads runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 1

    def run(
        self, work: Callable[..., Any], *arguments: Any, unwanted: Callable[[Any], object] = lambda result: None
    ) -> asyncio.Future[Any]:
        """What the work brings; where nobody waits for it any more, it goes to `unwanted`.

        As `run_in_executor`, without its detour over a second future: every image comes through here.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        def deliver(result: Any, error: BaseException | None) -> None:
            if done.cancelled():
                if error is None:
                    self.begin(unwanted, result)
            elif error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

        def do() -> None:
            try:
                result = work(*arguments)
            except BaseException as error:
                loop.call_soon_threadsafe(deliver, None, error)
            else:
                loop.call_soon_threadsafe(deliver, result, None)

        self.begin(do)
        return done

    def begin(self, work: Callable[..., object], *arguments: Any) -> None:
        """Have it done; nobody waits for it."""
        with self._lock:
            self._users += 1
        _threads().submit(self._in_thread, work, *arguments)

    def _in_thread(self, work: Callable[..., object], *arguments: Any) -> None:
        try:
            work(*arguments)
        finally:
            close_old_connections()
            self.leave()

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            last = not self._users
        if last:
            _free().release()


async def _read(scope: Mapping[str, Any], receive: Receive) -> IO[bytes]:
    """The body, up to the limit: whoever sends more is told so before everything has come."""
    largest = settings.GATEWAY_LARGEST_REQUEST
    announced = dict(scope["headers"]).get(b"content-length", b"")
    if announced.isdigit() and int(announced) > largest:
        raise too_large(largest)
    body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 – the request owns it from here
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        part = message.get("body", b"")
        size += len(part)
        if size > largest:
            raise too_large(largest)
        body.write(part)
        if not message.get("more_body"):
            body.seek(0)
            return body


def _request(scope: Mapping[str, Any], body: IO[bytes]) -> HttpRequest:
    try:
        return ASGIRequest(scope, body)
    except UnicodeDecodeError as error:
        body.close()
        raise invalid(None, f"The address is no UTF-8: {error}.", "invalid_url") from error


async def _watch(receive: Receive, client: Client) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _tell(client)


def _tell(client: Client) -> None:
    threading.Thread(target=client.leave, daemon=True).start()  # it may ask the database


async def _send(send: Send, response: HttpResponse, *, close: bool = False) -> None:
    headers = [*_headers(response), (b"content-length", b"%d" % len(response.content))]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("ascii"), value.encode("latin1"))
        for name, value in response.items()
        if name.lower() != "content-length"
    ]


async def _send_stream(send: Send, response: StreamingHttpResponse, client: Client, place: _Place) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
    async for event in _events(client, place, iter(response.streaming_content)):  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _events(client: Client, place: _Place, events: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Events as they come, and signs of life between them."""
    end = object()
    while True:
        step = place.run(next, events, end)
        try:
            while not (await asyncio.wait({step}, timeout=HEARTBEAT))[0]:
                yield b": still working\n\n"
        except BaseException:
            _tell(client)
            raise
        if (event := step.result()) is end:
            return
        yield event


def _overloaded() -> HttpResponse:
    message = f"{settings.GATEWAY_THREADS} requests are under way, as many as GATEWAY_THREADS allows."
    headers = {"x-should-retry": "true", "Retry-After": "1"}
    return refused(Refusal(503, "overloaded", message, kind="server_error", headers=headers))
