"""The connection of one request: whose it is, how long it has been open, and whether the client is still there."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from time import monotonic

from django.http import HttpRequest

from providers.gateway.keys import RateLimit
from providers.models import ApiKey

# The API knows no cookies, so a page of any origin may call it with a key of its own.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-request-id, x-arena-model, x-arena-provider, x-arena-cost, x-arena-attempts, "
    "x-arena-overhead-ms, openai-processing-ms, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
    "x-ratelimit-reset-requests, Retry-After, retry-after-ms, x-should-retry, Idempotent-Replayed, Location, "
    "Preference-Applied",
}


class ClientConnection:
    """One request's connection. Only a server that notices a closed connection calls `disconnected` (asgi.py).

    `gone` is the event that routing watches: once it is set, waiting and polling end and the job is cancelled at the
    provider. `headers` are sent with whatever the response will be: request id, rate limit, CORS.
    """

    def __init__(self) -> None:
        self.request_id = uuid.uuid4()
        self.started_at = monotonic()
        self.headers: dict[str, str] = {"x-request-id": f"req_{self.request_id.hex}", **CORS}
        self.limit: RateLimit | None = None  # where the request was counted before its body was read (asgi.py)
        self.key: ApiKey | None = None  # once it is authenticated …
        self.fingerprint = ""  # … and the request is claimed
        self.is_generating = False  # from here on a provider may have been called for it
        self.may_begin = False  # the response may begin before it is known (asgi.py)
        self.is_delivered = False  # the whole response was sent to a client that was still connected
        self.gone = threading.Event()
        self.is_disconnected = False
        self._is_handled = False
        self._action: Callable[[], None] = self.gone.set
        self._lock = threading.Lock()

    def on_disconnect(self, action: Callable[[], None]) -> None:
        """Run `action` on a disconnect instead of setting `gone`; at once if the client has disconnected already."""
        with self._lock:
            self._action = action
            is_late = self._is_handled
        if is_late:
            action()

    def disconnected(self) -> None:
        with self._lock:
            if self._is_handled:
                return
            self.is_disconnected = self._is_handled = True
            action = self._action
        action()


def connection_of(request: HttpRequest) -> ClientConnection:
    """The request's connection; one that never disconnects where the server cannot notice (WSGI)."""
    connection: ClientConnection | None = getattr(request, "gateway_connection", None)
    if connection is None:
        connection = request.gateway_connection = ClientConnection()  # type: ignore[attr-defined]
    return connection


def prefers(request: HttpRequest, preference: str) -> bool:
    """Whether the Prefer header names it (RFC 7240)."""
    preferences = request.headers.get("Prefer", "").lower().split(",")
    return any(given.partition(";")[0].strip() == preference for given in preferences)
