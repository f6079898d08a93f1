"""Django's WSGI handler in a few threads of its own, with a bounded queue and a deadline.

Two threads a process, so that one slow page does not stop it; more cost a third of the small responses by fighting for
the interpreter. Each thread has its own database connection.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from config.entry.bodies import busy
from config.entry.messages import Headers, Message, Receive, Rejected, Scope, Send, page

QUEUE = 512  # pages that may wait for a thread
START = 256 * 1024  # bytes of a response that the first turn in a thread reads: most responses are no longer
STEP = 64 * 1024  # … and each later one: what a slow reader has not taken yet is in memory several times over

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Page:
    """A response so far: `parts` has the rest, None when `start` is all."""

    status: int
    headers: Headers
    start: bytes
    parts: Iterator[bytes] | None
    close: Callable[[], None]


class FileParts:
    """wsgi.file_wrapper: a file in steps. Django closes the response with the file."""

    def __init__(self, file: IO[bytes], block_size: int = STEP) -> None:
        self._file = file
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        while part := self._file.read(STEP):
            yield part


class Pages:
    def __init__(self, wsgi: Wsgi, *, threads: int, timeout: float) -> None:
        self._wsgi = wsgi
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._threads = threads
        self._timeout = timeout
        self._unfinished = 0  # pages that wait for a thread or have one

    async def __call__(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes]) -> None:
        """Raises Rejected: 503 when the queue is full, or no response came in time."""
        if self._unfinished >= self._threads + QUEUE:
            raise busy("The site is busy.")
        loop = asyncio.get_running_loop()
        environ, gone = environment(scope, body), threading.Event()
        self._unfinished += 1
        context = contextvars.copy_context()  # the request's id, for the log
        future = loop.run_in_executor(self._executor, context.run, self._respond, environ, gone)
        future.add_done_callback(self._finished)
        # Only a page that has to wait is worth looking whether its client still does.
        watch = loop.create_task(_watch(receive, gone)) if self._unfinished > self._threads else None
        try:
            done, _ = await asyncio.wait({future}, timeout=self._timeout)
        except asyncio.CancelledError:
            gone.set()
            future.add_done_callback(self._discard)
            raise
        finally:
            if watch:
                watch.cancel()
        if not done:
            gone.set()
            future.add_done_callback(self._discard)
            raise Rejected(503, "The site did not answer in time. Try again in a moment.", {"Retry-After": "5"})
        if (response := future.result()) is not None:
            await self._send(response, send, is_head=scope["method"] == "HEAD")

    def _finished(self, future: asyncio.Future[Page | None]) -> None:
        self._unfinished -= 1

    def _discard(self, future: asyncio.Future[Page | None]) -> None:
        """Nobody gets this response any more."""
        if not future.cancelled() and not future.exception() and (response := future.result()) is not None:
            self._executor.submit(response.close)

    def _respond(self, environ: dict[str, Any], gone: threading.Event) -> Page | None:
        """In a thread. None for a client that gave up in the queue."""
        if gone.is_set():
            return None
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            fields = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]
            started.update(status=int(status[:3]), headers=fields)

        result = self._wsgi(environ, start_response)
        close = getattr(result, "close", lambda: None)
        try:
            parts = iter(result)
            start, has_more = step(parts, START)
        except BaseException:
            close()
            raise
        if not has_more:
            close()
        return Page(**started, start=start, parts=parts if has_more else None, close=close)

    async def _send(self, response: Page, send: Send, *, is_head: bool) -> None:
        """Between two steps a slow reader holds no thread."""
        loop = asyncio.get_running_loop()
        parts = None if is_head else response.parts
        try:
            await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
            part, response.start = b"" if is_head else response.start, b""  # of a slow reader it is not held on to
            while parts is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part, has_more = await loop.run_in_executor(self._executor, step, parts, STEP)
                parts = parts if has_more else None
            await send({"type": "http.response.body", "body": part})
        finally:
            if response.parts is not None:
                self._executor.submit(response.close)


def step(parts: Iterator[bytes], least: int) -> tuple[bytes, bool]:
    """The next bytes, at least so many of them where there are; whether there may be more."""
    collected: list[bytes] = []
    size = 0
    for part in parts:
        collected.append(part)
        size += len(part)
        if size >= least:
            return b"".join(collected), True
    return b"".join(collected), False


async def _watch(receive: Receive, gone: threading.Event) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
    gone.set()


def environment(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The request as WSGI (PEP 3333) describes it. Its body is complete, so its length is known."""
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    server, client = scope.get("server") or ("", 80), scope.get("client") or ("", 0)
    path = unquote_to_bytes(scope["raw_path"].partition(b"?")[0]) if scope.get("raw_path") else scope["path"].encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_NAME": server[0] or "localhost",
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileParts,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin1").upper().replace("-", "_"), raw_value.decode("latin1")
        if name in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            continue
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        environ[key] = f"{environ[key]}{'; ' if name == 'COOKIE' else ','}{value}" if key in environ else value
    if size or scope["method"] in ("POST", "PUT", "PATCH"):
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def unexpected() -> tuple[int, Headers, bytes]:
    """What is sent when even Django's handler failed."""
    headers: Headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    return 500, headers, page(500, "Internal error; it has been logged.")
