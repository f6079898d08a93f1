"""Which part answers a request, decided by its head."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Protocol

from config import logs
from config.entry.bodies import Bodies, Check
from config.entry.messages import (
    ClientDisconnected,
    Headers,
    Receive,
    Rejected,
    Scope,
    Send,
    is_api,
    is_encoded,
    is_utf8,
    send_rejection,
    send_response,
    send_text,
)
from config.entry.pages import Pages, unexpected

log = logging.getLogger(__name__)

READY_SECONDS = 5.0  # for all checks of /readyz together
LONGEST_URL = 8192  # bytes of path and query: pages repeat filters in twenty links
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Api(Protocol):
    """providers.gateway.asgi.Gateway"""

    async def check_head(self, scope: Scope) -> bool:
        """Whether the body is worth reading: an error response does not depend on it."""
        ...

    async def own_headers(self, scope: Scope, *, is_busy: bool) -> Mapping[str, str]:
        """Headers of every response of the API, also of one that it does not give itself; `is_busy`: without a look
        into the database."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes]) -> None: ...


class BodyNotNeeded(Exception):
    """The response is an error, whatever the body says."""


class Entry:
    """The ASGI application. `api_limit`: bytes that a body for the API may have; `limits`: that one for a page may
    have, by the beginning of its path."""

    def __init__(
        self,
        *,
        api: Api,
        api_limit: int,
        pages: Pages,
        limits: Mapping[str, int],
        ip_address: Callable[[Scope], str],
        readiness: Callable[[dict[str, str]], tuple[bool, dict[str, str]]],
    ) -> None:
        self._api = api
        self._api_limit = api_limit
        self._pages = pages
        self._limits = sorted(limits.items(), key=lambda item: -len(item[0]))
        self._ip_address = ip_address
        self._readiness = readiness
        self._bodies = Bodies()
        self._ready_thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._checking: asyncio.Future[tuple[bool, dict[str, str]]] | None = None
        self._parts: dict[str, str] = {}  # what that check has found so far

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = _Sending(send)
        # A header with an underscore would be taken for the one with a hyphen, such as X_Forwarded_For.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        logs.request_id.set(logs.id_of(scope["headers"]))
        try:
            await self._respond(scope, receive, sending)
        except ClientDisconnected:
            # Or its body is malformed: granian reports both alike, and answers 500 where nobody answers.
            if not sending.is_started:
                malformed = Rejected(400, "The body of the request ends too soon, or is malformed.")
                await self._reject(sending, scope, malformed, close=True)
        except Rejected as rejected:
            if not sending.is_started:
                await self._reject(sending, scope, rejected, close=_has_body(scope))
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if not sending.is_started:
                await send_response(sending, *unexpected())

    async def _reject(self, send: Send, scope: Scope, rejected: Rejected, *, close: bool) -> None:
        if is_api(scope["path"]):
            is_busy = rejected.status in (429, 503)
            rejected.headers = {**await self._api.own_headers(scope, is_busy=is_busy), **rejected.headers}
        await send_rejection(send, scope, rejected, close=close)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if "\0" in path:
            raise Rejected(400, "A URL has no NUL.")
        if len(scope.get("raw_path") or path) + len(scope["query_string"]) > LONGEST_URL:
            raise Rejected(414, f"A URL may have {LONGEST_URL} bytes.", code="url_too_long")
        if method not in _METHODS:
            raise Rejected(405, "Method not allowed; use GET.", {"Allow": "GET, HEAD, POST"}, "method_not_allowed")
        if path == "/healthz" and method in ("GET", "HEAD"):
            await send_text(send, scope, "ok")
            return
        if path == "/readyz" and method in ("GET", "HEAD"):
            await self._ready(scope, send)
            return
        if not is_utf8(scope["headers"]):
            raise Rejected(415, "Requests are in UTF-8.", code="unsupported_charset")
        if is_encoded(scope["headers"]):
            plain = {"Accept-Encoding": "identity"}
            raise Rejected(415, "Send the body without Content-Encoding.", plain, "unsupported_encoding")
        to_api = is_api(path)
        limit = self._api_limit if to_api else next(n for prefix, n in self._limits if path.startswith(prefix))
        check: Check = (lambda: self._check(scope)) if to_api else _no_check
        try:
            async with self._bodies.read(
                scope, receive, limit=limit, ip_address=self._ip_address(scope), check=check
            ) as body:
                handler: Callable[..., Awaitable[None]] = self._api if to_api else self._pages
                await handler(scope, receive, send, body)
        except BodyNotNeeded:
            await self._api(scope, receive, _Closing(send), io.BytesIO())

    async def _check(self, scope: Scope) -> None:
        if not await self._api.check_head(scope):
            raise BodyNotNeeded

    async def _ready(self, scope: Scope, send: Send) -> None:
        """In a thread of its own: threads that wait for a hanging database answer nothing. All who ask at once share
        one check; who has waited for READY_SECONDS gets what it has found by then."""
        if self._checking is None or self._checking.done():
            self._parts = {}
            loop = asyncio.get_running_loop()
            self._checking = loop.run_in_executor(self._ready_thread, self._readiness, self._parts)
        try:
            ready, _ = await asyncio.wait_for(asyncio.shield(self._checking), READY_SECONDS)
        except TimeoutError:
            ready = False
        headers: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if not ready:
            headers.append((b"retry-after", b"5"))
        body = json.dumps(dict(self._parts)).encode()
        await send_response(send, 200 if ready else 503, headers, body, is_head=scope["method"] == "HEAD")


class _Sending:
    """`send`, and whether a response has been started."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_started = False

    async def __call__(self, message: Mapping[str, Any]) -> None:
        self.is_started = True
        await self._send(message)


class _Closing:
    """`send`, with `Connection: close`: the rest of a body that nobody reads is still coming."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await self._send(message)


async def _no_check() -> None:
    pass


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in scope["headers"])


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
