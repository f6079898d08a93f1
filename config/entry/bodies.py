"""Bodies of requests, read whole before anything works on them.

One deadline holds for all of a body: `BODY_SECONDS`, and as long again as its bytes take at `BYTES_PER_SECOND`, so a
byte a minute ends after half a minute. Unfinished bodies are bounded per IP address and in all; they are in memory up
to `IN_MEMORY` bytes, then on disk, where all of a process together may hold `ON_DISK` bytes. Beyond `PARTS` pieces one
brings `BYTES_A_PART` on average: a chunk of one byte keeps the event loop as long as one of 64 KB.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO

from config.entry.messages import ClientDisconnected, Receive, Rejected, Scope

BODY_SECONDS = 30.0
BYTES_PER_SECOND = 128 * 1024
UNFINISHED_PER_IP = 64
UNFINISHED = 512
IN_MEMORY = 1 << 20
ON_DISK = 1 << 30
PARTS = 2_000
BYTES_A_PART = 512  # even the smallest packets of IPv4 bring 536
AT_ONCE = 64 * 1024  # a body announced as larger is not read before its request has been checked

Check = Callable[[], Awaitable[None]]


class _Spooled:
    """The bytes of one body, counted as on disk once it is larger than memory may hold."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._parts = 0
        self.size = 0

    @property
    def is_crumbled(self) -> bool:
        return self._parts > PARTS + self.size / BYTES_A_PART

    def add(self, n: int) -> None:
        self._parts += 1
        before, self.size = self.size, self.size + n
        if self.size > IN_MEMORY:
            self._bodies.on_disk += n if before > IN_MEMORY else self.size

    def release(self) -> None:
        if self.size > IN_MEMORY:
            self._bodies.on_disk -= self.size


class Bodies:
    """All unfinished bodies of a process."""

    def __init__(self) -> None:
        self._unfinished: Counter[str] = Counter()
        self.on_disk = 0  # bytes

    @asynccontextmanager
    async def read(
        self, scope: Scope, receive: Receive, *, limit: int, ip_address: str, check: Check
    ) -> AsyncIterator[IO[bytes]]:
        """The complete body, at its start; its file is closed afterwards.

        `check` may reject the request and is awaited before a body that is large or does not come at once. Raises
        Rejected: 400, 408, 413, 429, 503; ClientDisconnected.
        """
        length = announced(scope)
        if length is not None and length > limit:
            raise too_large(limit)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            spooled = _Spooled(self)
            try:
                if length != 0:
                    await self._fill(file, spooled, receive, limit, ip_address, check, length)
                file.seek(0)
                yield file
            finally:
                spooled.release()

    async def _fill(
        self,
        file: IO[bytes],
        spooled: _Spooled,
        receive: Receive,
        limit: int,
        ip_address: str,
        check: Check,
        length: int | None,
    ) -> None:
        start = asyncio.get_running_loop().time()
        is_checked = length is None or length > AT_ONCE
        if is_checked:
            await check()
        with self._counted(ip_address):
            while True:
                try:
                    async with asyncio.timeout_at(start + BODY_SECONDS + spooled.size / BYTES_PER_SECOND):
                        message = await receive()
                except TimeoutError:
                    raise Rejected(408, "The rest of the request did not come in time.", code="timeout") from None
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                part = message.get("body", b"")
                spooled.add(len(part))
                if spooled.size > limit:
                    raise too_large(limit)
                if spooled.is_crumbled:
                    raise Rejected(
                        400, f"The body comes in too many pieces; send {BYTES_A_PART} bytes in each, or more."
                    )
                if self.on_disk > ON_DISK:
                    raise busy("Too many large requests are being received.")
                file.write(part)
                if spooled.size == length or not message.get("more_body"):  # some servers report the end by itself
                    return
                if not is_checked:
                    is_checked = True
                    await check()

    @contextmanager
    def _counted(self, ip_address: str) -> Iterator[None]:
        if self._unfinished.total() >= UNFINISHED:
            raise busy("Too many requests are being received.")
        if ip_address and self._unfinished[ip_address] >= UNFINISHED_PER_IP:
            message = f"Your IP address has {UNFINISHED_PER_IP} unfinished requests."
            raise Rejected(429, message, {"Retry-After": "5"}, "too_many_requests")
        self._unfinished[ip_address] += 1
        try:
            yield
        finally:
            self._unfinished[ip_address] -= 1
            if not self._unfinished[ip_address]:
                del self._unfinished[ip_address]


def announced(scope: Scope) -> int | None:
    """Bytes of the body by its head: 0 without one, None when it is chunked. Raises Rejected: 400."""
    lengths = {value for name, value in scope["headers"] if name == b"content-length"}
    is_chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    if len(lengths) > 1 or (lengths and is_chunked):
        raise Rejected(400, "The request has two lengths.")
    if is_chunked:
        return None
    text = lengths.pop() if lengths else b"0"
    if not (text.isdigit() and text.isascii()) or len(text) > 18:
        raise Rejected(400, "The Content-Length is not a number.")
    return int(text)


def too_large(limit: int) -> Rejected:
    size = f"{limit >> 20} MB" if limit >= 1 << 20 else f"{limit >> 10} KB"
    return Rejected(413, f"A request to this URL may have {size}.", code="request_too_large")


def busy(message: str) -> Rejected:
    return Rejected(503, f"{message} Try again in a moment.", {"Retry-After": "2"}, "overloaded")
