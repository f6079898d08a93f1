"""The same views behind an asynchronous server, which notices that a client has disconnected.

Each request works in the threads of `slots`, from its first statement to its last. A request for which no slot is free
is rejected at once instead of waiting in a queue that nobody sees. Django's own asynchronous handler changes threads
five times for each request: once for every synchronous step of its handler chain, the view, and the end of the request.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import IO, Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import Resolver404, resolve

from providers.gateway import keys, slots
from providers.gateway.disconnect import ClientConnection, prefers
from providers.gateway.errors import OUTAGES, ApiError, invalid
from providers.gateway.keys import RateLimit
from providers.gateway.slots import RequestSlot
from providers.gateway.uploads import too_large
from providers.gateway.views import error_response

HEARTBEAT = 10.0  # seconds; proxies cut a stream in which nothing moves
IN_MEMORY = 4 * 2**20  # bytes of a body; a larger one is spooled to disk

_LIMIT = "providers.gateway.limit"  # in a scope whose request was counted by its head

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ClientDisconnected(Exception):
    """The client closed the connection before its body was complete."""


class Overloaded(ApiError):
    """As many requests run as may."""

    def __init__(self) -> None:
        message = f"{settings.GATEWAY_THREADS} requests are running, as many as GATEWAY_THREADS allows."
        headers = {"x-should-retry": "true", "Retry-After": "1"}
        super().__init__(503, "overloaded", message, kind="server_error", headers=headers)


class Gateway:
    """The ASGI application of the API."""

    def __init__(self, urlconf: str | None = None) -> None:
        """`urlconf`: of the API alone, where the process also serves pages; none of their middleware runs here."""
        self._urlconf = urlconf
        self._handler = BaseHandler()
        with override_settings(MIDDLEWARE=settings.MIDDLEWARE if urlconf is None else []):
            self._handler.load_middleware()

    async def check_head(self, scope: dict[str, Any]) -> bool:
        """Whether the response depends on the body. False: call us with an empty one, for the same error response.

        The key is looked up in a thread, because that may query the database. The request is counted against its limit
        here, and not again with its body.
        """
        path: str = scope["path"]
        try:
            match = resolve(path, self._urlconf)
        except Resolver404:
            return False
        if scope["method"] != "POST" or match.url_name not in ("generations", "edits", "variations", "responses"):
            return False
        try:
            limit = scope[_LIMIT] = await self._count(scope, 1)
        except (ApiError, *OUTAGES):  # again in the view, which responds with it
            return False
        return not limit.is_exceeded

    async def own_headers(self, scope: Mapping[str, Any], *, is_busy: bool = False) -> Mapping[str, str]:
        """Request id, CORS and the key's limit, for a response to what no view sees, such as a body that is too large.

        Where we are too busy to look anything up, of the limit only what this process remembers.
        """
        limit: RateLimit | None = scope.get(_LIMIT)
        with contextlib.suppress(ApiError, *OUTAGES):
            if limit is None and is_busy:
                limit = keys.remembered_limit(self._request(scope, io.BytesIO()))
            elif limit is None:
                limit = await self._count(scope, 0)
        return ClientConnection().headers | (limit.headers() if limit else {})

    async def _count(self, scope: Mapping[str, Any], requests: int) -> RateLimit:
        """Count requests against the limit of the key in the head. Raises Overloaded where no thread is free, ApiError
        without a usable key."""
        request = self._request(scope, io.BytesIO())
        slot = slots.take()
        if slot is None:
            raise Overloaded
        try:
            key = await slot.run(keys.authenticate_cached, request)
            counted: RateLimit = await slot.run(keys.count_request, key, requests)
            return counted
        finally:
            slot.release()

    async def __call__(
        self, scope: dict[str, Any], receive: Receive, send: Send, body: IO[bytes] | None = None
    ) -> None:
        """`body`: the complete one where the caller has read it; else it is read here."""
        connection = ClientConnection()
        connection.limit = scope.get(_LIMIT)
        slot = slots.take()
        if slot is None:
            await _send_error(send, Overloaded(), await self.own_headers(scope, is_busy=True))
            return
        try:
            try:
                request = self._request(scope, await _read_body(scope, receive) if body is None else body)
            except ClientDisconnected:
                return
            except ApiError as error:
                await _send_error(send, error, await self.own_headers(scope))
                return
            request.gateway_connection = connection  # type: ignore[attr-defined]
            watch = asyncio.create_task(_watch(receive, connection))
            try:
                await self._respond(request, connection, slot, send)
            finally:
                watch.cancel()
        finally:
            slot.release()

    def _request(self, scope: Mapping[str, Any], body: IO[bytes]) -> HttpRequest:
        try:
            request = ASGIRequest(scope, body)
        except UnicodeDecodeError as error:
            body.close()
            raise invalid(None, f"The URL is not UTF-8: {error}.", "invalid_url") from error
        if self._urlconf is not None:
            request.urlconf = self._urlconf
        return request

    async def _respond(self, request: HttpRequest, connection: ClientConnection, slot: RequestSlot, send: Send) -> None:
        """When this task is cancelled, or a heartbeat cannot be sent, the thread sees a disconnect and ends by itself.
        Then its response is closed, which settles the request, and its slot is free."""
        work = slot.run(self._handler.get_response, request, discard=lambda response: response.close())
        try:
            is_started = prefers(request, "keep-alive") and await _keep_alive(work, connection, send)
            response: HttpResponseBase = await work
        except BaseException:
            work.cancel()
            _disconnect(connection)
            raise
        try:
            if is_started:
                assert isinstance(response, HttpResponse)  # a view that streams says nothing of `may_begin`
                await send({"type": "http.response.body", "body": _with_status(response)})
            elif isinstance(response, StreamingHttpResponse):
                await _send_stream(send, response, connection, slot)
            elif isinstance(response, HttpResponse):
                await _send(send, response)
            connection.is_delivered = not connection.is_disconnected
        finally:
            slot.start(response.close)  # the rest of the work: no client waits for it (views.ImagesResponse)


async def _read_body(scope: Mapping[str, Any], receive: Receive) -> IO[bytes]:
    """The body. Raises ApiError as soon as it is larger than the limit, ClientDisconnected when it ends early."""
    largest = settings.GATEWAY_LARGEST_REQUEST
    content_length = dict(scope["headers"]).get(b"content-length", b"")
    if content_length.isdigit() and int(content_length) > largest:
        raise too_large(largest)
    body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 – the request owns it from here
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if size > largest:
            raise too_large(largest)
        body.write(part)
        if not message.get("more_body"):
            body.seek(0)
            return body


async def _watch(receive: Receive, connection: ClientConnection) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _disconnect(connection)


def _disconnect(connection: ClientConnection) -> None:
    connection.is_disconnected = True
    threading.Thread(target=connection.disconnected, daemon=True).start()  # it may query the database


async def _keep_alive(work: asyncio.Future[Any], connection: ClientConnection, send: Send) -> bool:
    """Wait for the work; from the first heartbeat on, begin its response with white space, if it may begin.

    True when it has started: status and headers are sent, so an error can only be reported in the body. That is why
    clients have to ask for it: the official ones would take such an error for a success.
    """
    is_started = False
    while not (await asyncio.wait({work}, timeout=HEARTBEAT))[0]:
        if not connection.may_begin:
            continue
        if not is_started:
            early = {**connection.headers, "Preference-Applied": "keep-alive", "Cache-Control": "no-store"}
            response = HttpResponse(content_type="application/json", headers={**early, "X-Accel-Buffering": "no"})
            await send({"type": "http.response.start", "status": 200, "headers": _headers(response)})
            is_started = True
        await send({"type": "http.response.body", "body": b"\n", "more_body": True})
    return is_started


def _with_status(response: HttpResponse) -> bytes:
    """The body of a response whose status has been sent as 200: an error's own status is inside the error."""
    if response.status_code == 200:
        return response.content
    body = json.loads(response.content)
    return json.dumps({**body, "error": {**body["error"], "status": response.status_code}}).encode()


async def _send_error(send: Send, error: ApiError, headers: Mapping[str, str]) -> None:
    """An error before the body has been read: the connection is closed, for the rest of the body is still coming."""
    response = error_response(error)
    for name, value in {**headers, "Connection": "close"}.items():
        response.headers.setdefault(name, value)
    await _send(send, response)


async def _send(send: Send, response: HttpResponse) -> None:
    headers = [*_headers(response), (b"content-length", b"%d" % len(response.content))]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("ascii"), value.encode("latin1"))
        for name, value in response.items()
        if name.lower() != "content-length"
    ]


async def _send_stream(
    send: Send, response: StreamingHttpResponse, connection: ClientConnection, slot: RequestSlot
) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
    async for event in _events(connection, slot, iter(response.streaming_content)):  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _events(connection: ClientConnection, slot: RequestSlot, events: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Events as they come, with heartbeats between them."""
    end = object()
    while True:
        step = slot.run(next, events, end)
        try:
            while not (await asyncio.wait({step}, timeout=HEARTBEAT))[0]:
                yield b": still working\n\n"
        except BaseException:
            _disconnect(connection)
            raise
        if (event := step.result()) is end:
            return
        yield event
