"""The one port of the demo: requests for the API go to the gateway's processes, all others to the pages'.

    python -m config.demo.front HOST PORT PAGES_PORT GATEWAY_PORT

In production the load balancer does this. Bodies go through as they are, in both directions and no faster than the
other end takes them; heads are read, because that is where the way is written. Whoever works for a client that hangs up
notices, since its connection goes too. The client's address is passed on in X-Forwarded-For, and nothing that clients
write there themselves.

On SIGTERM who waits for an answer still gets it, and who asks anew is told 503.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from time import monotonic

from config.demo.framing import LARGEST_HEAD, Body, Head, Malformed

HEAD_SECONDS = 20.0  # for a head to come, from its first byte
BODY_SECONDS = 60.0  # without a byte, while a body is coming
IDLE_SECONDS = 75.0  # without a request
CONNECT_SECONDS = 1.0  # a process that crashed is back sooner
OURS = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip", b"x-forwarded-host", b"x-forwarded-proto"})
REASONS = {
    400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip


class End(asyncio.Protocol):
    """One end of a connection. What keeps it from being read has a name, so that two reasons cannot undo each other."""

    transport: asyncio.Transport
    other: "End | None" = None

    def __init__(self) -> None:
        self.held: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def hold(self, reason: str) -> None:
        if not self.held:
            self.transport.pause_reading()
        self.held.add(reason)

    def release(self, reason: str) -> None:
        if reason in self.held:
            self.held.remove(reason)
            if not self.held and not self.transport.is_closing():
                self.transport.resume_reading()

    def pause_writing(self) -> None:
        if self.other:
            self.other.hold("slow")

    def resume_writing(self) -> None:
        if self.other:
            self.other.release("slow")


class Backend(End):
    """The end that answers."""

    def __init__(self, client: "Client") -> None:
        super().__init__()
        self.client = client
        self.other = client
        self.head = b""
        self.body: Body | None = None
        self.begun = False  # to answer the request that it has
        self.reused = False

    def data_received(self, data: bytes) -> None:
        self.begun = True
        self.client.transport.write(data)
        try:
            self.follow(data)
        except Malformed:
            self.transport.abort()
            self.client.transport.close()

    def follow(self, data: bytes) -> None:
        while data:
            if self.body is None:
                self.head += data
                text, end, data = self.head.partition(b"\r\n\r\n")
                if not end:
                    return
                head, self.head = Head(text), b""
                status = head.status()
                if 100 <= status < 200 and status != 101:
                    continue  # not yet the answer
                none = status in (204, 304) or self.client.method == b"HEAD"
                self.body = Body(head, none=none, until_closed=True)
            data = data[self.body.take(data) :]
            if self.body.over:
                self.body, self.begun, self.reused = None, False, True
                self.client.answered()
                return  # nobody has asked for what comes behind it

    def connection_lost(self, error: Exception | None) -> None:
        client = self.client
        if client.other is not self:
            return
        if error is not None and client.waits:
            self.hear_out()
        client.other = None
        if client.waits and not self.begun and not self.reused:
            client.refuse(502, "The process that was to answer has ended. Try it again.")
        elif (
            client.waits
        ):  # an answer that ends with its connection, one cut off, or one never begun: browsers ask again
            client.transport.close()

    def hear_out(self) -> None:
        """Whoever refuses a body while it is coming answers and hangs up. That is noticed when more of it is written,
        while the answer still waits to be read.
        """
        end = self.transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError):
            while self.client.waits and (data := os.read(end, 1 << 16)):
                self.data_received(data)


class Client(End):
    """The end that asks."""

    other: Backend | None

    def __init__(self, front: "Front") -> None:
        super().__init__()
        self.front = front
        self.waits = False  # for an answer
        self.method, self.is_api = b"", False  # of the last request
        self.port = 0  # of the backend that `other` is connected to
        self.coming = bytearray()  # received and not yet passed on
        self.body: Body | None = None  # of the request that is coming
        self.connecting: asyncio.Task[None] | None = None
        self.moved = monotonic()  # since when it is as it is

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.front.clients.add(self)
        with contextlib.suppress(OSError):  # a peer that vanished without a goodbye is found out
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        if self.body is not None or not self.coming:
            self.moved = monotonic()
        self.coming += data
        self.proceed()

    def proceed(self) -> None:
        """Pass on what can be: heads one after the other, each when the answer before it is over."""
        try:
            while self.coming and not self.connecting and not self.transport.is_closing():
                if self.body is None and not self.begin():
                    return
                if self.body is not None and self.other is not None:
                    part = bytes(self.coming)
                    size = self.body.take(part)
                    del self.coming[:size]
                    self.other.transport.write(part[:size])
                    if self.body.over:
                        self.body = None
        except Malformed as error:
            self.refuse(400, f"This is no request of HTTP/1.1: {error}.")

    def begin(self) -> bool:
        """Send on the next head, if it is there and the way is free."""
        if self.waits:
            self.hold("waits")
            return False
        while self.coming[:2] == b"\r\n":
            del self.coming[:2]
        end = self.coming.find(b"\r\n\r\n", 0, LARGEST_HEAD)
        if end < 0:
            if len(self.coming) >= LARGEST_HEAD:
                self.refuse(431, f"The head of a request may have {LARGEST_HEAD >> 10} KB.")
            return False
        head = Head(bytes(self.coming[:end]))
        self.method, target = head.request()
        body = Body(head)
        del self.coming[: end + 4]
        self.is_api = target.startswith(b"/openai/")
        if self.front.stopping:
            self.refuse(503, "It is being stopped. Try it again in a moment.")
            return False
        self.waits, self.body, self.moved = True, None if body.over else body, monotonic()
        port = self.front.gateway if self.is_api else self.front.pages
        text = head.without(OURS, (b"X-Forwarded-For", self.address()))
        if self.other and self.port == port and not self.other.transport.is_closing():
            self.other.transport.write(text)
        else:
            former, self.other, self.port = self.other, None, port
            if former:
                former.transport.abort()
            self.hold("connecting")
            self.connecting = asyncio.ensure_future(self.connect(port, text))
        return True

    def address(self) -> bytes:
        peer = self.transport.get_extra_info("peername")
        return str(peer[0]).partition("%")[0].encode() if isinstance(peer, tuple) else b""

    async def connect(self, port: int, text: bytes) -> None:
        loop, patience = asyncio.get_running_loop(), monotonic() + CONNECT_SECONDS
        while True:
            try:
                _, backend = await loop.create_connection(lambda: Backend(self), "127.0.0.1", port)
                break
            except OSError:
                if monotonic() > patience:
                    self.refuse(503, "It is starting. Try it again in a moment.")
                    return
                await asyncio.sleep(0.1)
        self.other = backend
        backend.transport.write(text)
        self.connecting = None
        self.release("connecting")
        self.proceed()

    def answered(self) -> None:
        self.waits, self.moved = False, monotonic()
        if self.front.stopping or self.body is not None:  # answered before all of it came: the rest is not wanted
            self.transport.close()
            return
        self.release("waits")
        self.proceed()

    def refuse(self, status: int, message: str) -> None:
        """An answer of our own, the last one on this connection."""
        if self.is_api:
            error = {"message": message, "type": "server_error", "param": None, "code": "unavailable"}
            kind, text = "application/json", json.dumps({"error": error})
        else:
            kind = "text/html; charset=utf-8"
            text = (
                f"<!doctype html><html lang=en><title>{status} {REASONS[status]}</title>"
                f"<h1>{REASONS[status]}</h1><p>{message}"
            )
        again = "Retry-After: 1\r\n" if status >= 500 else ""
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(text.encode())}\r\n"
            f"{again}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        self.transport.write((head + text).encode())
        self.transport.close()

    def overdue(self, now: float) -> bool:
        """It keeps a connection and does nothing with it."""
        if self.body is not None:
            return now - self.moved > BODY_SECONDS and not self.held
        return not self.waits and now - self.moved > (HEAD_SECONDS if self.coming else IDLE_SECONDS)

    def connection_lost(self, error: Exception | None) -> None:
        self.front.clients.discard(self)
        if self.connecting:
            self.connecting.cancel()
        if self.other:
            self.other.transport.abort()


class Front:
    def __init__(self, pages: int, gateway: int) -> None:
        self.pages, self.gateway = pages, gateway
        self.clients: set[Client] = set()
        self.stopping = False

    async def run(self, host: str, port: int) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = await loop.create_server(lambda: Client(self), host, port, reuse_port=True, backlog=1024)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
            self.sweep()
        self.stopping = True
        for client in list(self.clients):
            if not client.waits:
                client.transport.close()
        while any(client.waits for client in self.clients):
            await asyncio.sleep(0.02)
        server.close()
        await asyncio.sleep(0.05)  # the last bytes of the last answers

    def sweep(self) -> None:
        now = monotonic()
        for client in [each for each in self.clients if each.overdue(now)]:
            if client.coming or client.body is not None:
                client.refuse(408, "The rest of the request did not come.")
            else:
                client.transport.close()


if __name__ == "__main__":
    host, *numbers = sys.argv[1:]
    port, pages, gateway = map(int, numbers)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Front(pages, gateway).run(host, port))
