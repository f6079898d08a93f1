"""The one port of the demo: connections for the API go to the gateway's processes, all others to the pages'.

    python -m config.demo.front HOST PORT PAGES_PORT GATEWAY_PORT

In production the load balancer does this. It looks at the first line of each request and at nothing else; bytes go
through as they are, so when a client hangs up, whoever works for it notices. A request is taken for a new one when it
comes after an answer has: that is how every client behaves that does not send the next request before the last answer.

On SIGTERM nobody new is let in, and who waits for an answer still gets it.
"""

import asyncio
import contextlib
import signal
import sys

LONGEST_LINE = 4096  # bytes in which the address must have come
AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: 28\r\n\r\nIt is starting. Try it again"
)


class Pipe(asyncio.Protocol):
    """One end of a connection; what it receives goes to the other end, no faster than that takes it."""

    other: "Pipe | None" = None
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()


class Backend(Pipe):
    """The end that answers."""

    def __init__(self, client: "Client") -> None:
        self.client = client

    def data_received(self, data: bytes) -> None:
        self.client.waits = False
        self.client.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.client.other is self:
            self.client.transport.close()


class Client(Pipe):
    """The end that asks."""

    def __init__(self, front: "Front") -> None:
        self.front = front
        self.waits = False  # for an answer
        self.port = 0  # of the backend that `other` is connected to
        self.held = b""  # what came before the backend was there
        self.connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.front.clients.add(self)

    def data_received(self, data: bytes) -> None:
        if self.connecting:
            self.held += data
        elif self.waits and self.other:
            self.other.transport.write(data)  # more of the same request
        else:
            self.begin(self.held + data)

    def begin(self, data: bytes) -> None:
        self.held = data
        method, space, rest = data.partition(b" ")
        if not space or (len(rest) < len(b"/openai/") and len(data) < LONGEST_LINE):
            return  # not enough to see where it wants to go
        self.waits = True
        port = self.front.gateway if rest.startswith(b"/openai/") else self.front.pages
        if self.other and self.port == port:
            self.other.transport.write(data)
            self.held = b""
        else:
            self.connecting = asyncio.ensure_future(self.connect(port))

    async def connect(self, port: int) -> None:
        former, self.other, self.port = self.other, None, port
        if former:
            former.transport.abort()
        try:
            loop = asyncio.get_running_loop()
            _, backend = await loop.create_connection(lambda: Backend(self), "127.0.0.1", port)
        except OSError:
            self.transport.write(AWAY)
            self.transport.close()
            return
        self.other, backend.other = backend, self
        backend.transport.write(self.held)
        self.held, self.connecting = b"", None

    def connection_lost(self, error: Exception | None) -> None:
        self.front.clients.discard(self)
        self.waits = False
        if self.connecting:
            self.connecting.cancel()
        if self.other:
            self.other.transport.abort()


class Front:
    def __init__(self, pages: int, gateway: int) -> None:
        self.pages, self.gateway = pages, gateway
        self.clients: set[Client] = set()

    async def run(self, host: str, port: int) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = await loop.create_server(lambda: Client(self), host, port, reuse_port=True, backlog=1024)
        await stop.wait()
        server.close()
        while any(client.waits for client in self.clients):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)  # the rest of an answer that has begun
        for client in list(self.clients):
            client.transport.close()


if __name__ == "__main__":
    host, *numbers = sys.argv[1:]
    port, pages, gateway = map(int, numbers)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Front(pages, gateway).run(host, port))
