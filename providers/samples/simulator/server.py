"""The HTTP server: a thread per connection, open between requests, and able to break off as real servers do.

Python's own http.server is enough: hundreds of connections that mostly wait cost a sleeping thread each, and unlike a
WSGI server it lets a reply be cut or the connection be reset.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from . import bfl, fal, files, gemini, openai, replicate
from .http import Request, SimulatorReply, json_reply
from .job_log import JobLog
from .jobs import Workshop

LARGEST = 64 * 2**20  # bytes of a request

WIRE_FORMATS: dict[str, Callable[[Workshop, Request], SimulatorReply]] = {
    "fal": fal.answer,
    "replicate": replicate.answer,
    "openai": openai.answer,
    "bfl": bfl.answer,
    "gemini": gemini.answer,
    "files": files.serve,
}


class Simulator:
    """A running simulator: `with Simulator() as simulator: … simulator.url`."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pace: float = 1.0,
        tls: ssl.SSLContext | None = None,
        drawn_side: int | None = None,
        job_log: Path | None = None,
    ) -> None:
        self.workshop = Workshop(pace, drawn_side, JobLog(job_log))
        try:
            self._server = _Server((host, port), self.workshop, tls)
        except OSError:
            self.workshop.close()
            raise
        self.host, self.port = self._server.server_address[0], self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{self.host!s}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="simulator", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.workshop.close()
        self._server.shutdown()
        self._server.server_close()

    def journal(self) -> dict[str, dict[str, dict[str, int]]]:
        return self.workshop.journal()

    def answer_all_with(self, outage: Callable[[], SimulatorReply] | None) -> None:
        """An outage of all providers at once; None ends it."""
        self._server.outage = outage

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], workshop: Workshop, tls: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self.workshop = workshop
        self.outage: Callable[[], SimulatorReply] | None = None
        self.scheme = "https" if tls else "http"
        if tls:  # the handshake happens in the connection's own thread, with its first byte
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of our business, and there is nothing else to say."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = 65536  # head and body leave together

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PUT = do_GET  # noqa: N815 – the names are http.server's

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: /journal says what happened."""

    def _respond(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > LARGEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(json_reply({"detail": "Send at most 64 MB with a Content-Length."}, 413))
            return
        body = self.rfile.read(int(length))
        try:
            reply = self._answer(body)
        except Exception as error:  # our own mistake must not look like a fault that a scenario asks for
            reply = json_reply({"detail": f"The simulator failed: {error!r}"}, 500, {"x-simulator-failed": "1"})
        self._send(reply)

    def _answer(self, body: bytes) -> SimulatorReply:
        parts = urlsplit(self.path)
        place, _, path = parts.path.lstrip("/").partition("/")
        if place == "healthz":
            return json_reply({"status": "ok"})
        if place == "journal":
            return json_reply(self.server.workshop.journal())
        if place not in WIRE_FORMATS:
            return json_reply({"detail": "Not found"}, 404)
        if self.server.outage is not None:
            return self.server.outage()
        request = Request(
            method=self.command,
            path=path if place == "openai" else unquote(path),
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            origin=f"{self.server.scheme}://{self.headers.get('Host') or 'localhost'}",
        )
        return WIRE_FORMATS[place](self.server.workshop, request)

    def _send(self, reply: SimulatorReply) -> None:
        if reply.reset:
            self._reset()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self._send_bytes(reply, reply.body)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self._send_chunks(reply.body)

    def _send_bytes(self, reply: SimulatorReply, body: bytes) -> None:
        cut = len(body) if reply.cut_at is None else reply.cut_at
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut == len(body):
            return
        self.wfile.flush()
        if reply.stall:
            self.server.workshop.stopping.wait(reply.stall)
            self.wfile.write(body[cut:])
        else:
            self.close_connection = True

    def _send_chunks(self, chunks: Iterator[bytes]) -> None:
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """Closes with a TCP reset instead of a goodbye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
