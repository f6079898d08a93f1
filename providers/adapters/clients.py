"""HTTP clients for the threads of a process: handshakes are paid once, not per image, and no thread waits for another.

One client for all would be simpler, but its connection pool is one list behind one lock: with 50 requests in flight
each waited 200 ms for it (`python -m benchmarks.gateway`).
"""

from __future__ import annotations

import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import httpx

from .base import new_client

IDLE = 30.0  # seconds; then a client's connections are closed


class Clients:
    """Clients of which each is used by one caller at a time: the one used last, whose connections are still open."""

    def __init__(self) -> None:
        self._ssl_context: ssl.SSLContext | None = None  # 45 ms of computing, so the clients share it
        self._idle: deque[tuple[float, httpx.Client]] = deque()  # (when it was used, client), the latest at the right
        self._lock = threading.Lock()

    @contextmanager
    def borrowed(self) -> Iterator[httpx.Client]:
        """A client that nobody else uses until the block ends."""
        client = self._take()
        try:
            yield client
        finally:
            self._put_back(client)

    def close(self) -> None:
        """Close the idle clients. Those in use are put back as ever."""
        with self._lock:
            closing = [client for _, client in self._idle]
            self._idle.clear()
        for client in closing:
            client.close()

    def _take(self) -> httpx.Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()[1]
            self._ssl_context = self._ssl_context or httpx.create_ssl_context()
        return new_client(self._ssl_context)

    def _put_back(self, client: httpx.Client) -> None:
        now = monotonic()
        with self._lock:
            self._idle.append((now, client))
            closing = []
            while self._idle[0][0] < now - IDLE:
                closing.append(self._idle.popleft()[1])
        for old in closing:
            old.close()
