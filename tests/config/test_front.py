"""The demo's one port: a process of its own between real connections, in front of two small servers."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from config.demo import ports
from config.services.places import CHECKOUT
from tests.config.processes import eventually

pytestmark = pytest.mark.processes


class Backend(ThreadingHTTPServer):
    """Says who it is and what it heard; `/slow` answers in two parts, the second when it is told to go on."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.heard: list[tuple[str, list[tuple[str, str]], int]] = []
        self.go_on = threading.Event()
        self.left = threading.Event()  # a client hung up
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request, client_address) -> None:
        self.left.set()


class Handler(BaseHTTPRequestHandler):
    server: Backend
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "/refuses" in self.path:  # before the body has come
            self.close_connection = True
            self.answer(b"too large", 413)
            return
        size = self.read_body()
        self.server.heard.append((self.path, self.headers.items(), size))
        if "/slow" in self.path:
            self.slow()
        elif "/dies" in self.path:
            self.close_connection = True
        else:
            self.answer(json.dumps({"name": self.server.name, "path": self.path, "size": size}).encode())

    do_POST = do_GET  # noqa: N815

    def read_body(self) -> int:
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = length = int(self.headers.get("Content-Length") or 0)
            while left and (data := self.rfile.read(min(left, 1 << 20))):
                left -= len(data)
            return length - left
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return total

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def slow(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nfirst\r\n")
        self.wfile.flush()
        while not self.server.go_on.wait(0.02):
            self.connection.settimeout(0.01)
            try:
                if not self.connection.recv(1):
                    raise ConnectionError
            except TimeoutError:
                continue
            except OSError:
                self.server.left.set()
                self.close_connection = True
                return
        self.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Front:
    def __init__(self, pages: int, gateway: int) -> None:
        self.port = ports.any_free()
        command = [sys.executable, "-m", "config.demo.front", "127.0.0.1", str(self.port), str(pages), str(gateway)]
        self.process = subprocess.Popen(command, cwd=CHECKOUT)
        eventually(self.accepts)
        self.url = f"http://127.0.0.1:{self.port}"

    def accepts(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, *texts: bytes) -> bytes:
        """What comes back on one connection, until it is closed or quiet."""
        with self.connect() as connection:
            for text in texts:
                connection.sendall(text)
            found = b""
            connection.settimeout(2)
            while part := connection.recv(65536):
                found += part
            return found


@pytest.fixture(scope="module")
def backends() -> Iterator[tuple[Backend, Backend]]:
    pages, gateway = Backend("pages"), Backend("gateway")
    yield pages, gateway
    for each in (pages, gateway):
        each.shutdown()
        each.server_close()


@pytest.fixture(scope="module")
def running(backends) -> Iterator[Front]:
    front = Front(*(each.port for each in backends))
    yield front
    front.process.terminate()
    assert front.process.wait(10) == 0


@pytest.fixture
def front(running: Front, backends) -> Front:
    for each in backends:
        each.heard.clear()
        each.go_on.clear()
        each.left.clear()
    return running


def test_the_api_goes_to_the_gateway_and_all_else_to_the_pages_also_on_one_connection(front):
    with httpx.Client(base_url=front.url) as client:
        found = [client.get(path).json()["name"] for path in ("/", "/openai/v1/models", "/openaix", "/openai/files/a")]
    assert found == ["pages", "gateway", "pages", "gateway"]


def test_requests_that_are_sent_before_the_answer_are_answered_in_their_order(front):
    one = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    texts = [one % 1, b"POST /openai/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + one % 3]
    with front.connect() as connection:
        connection.sendall(b"".join(texts))
        found = b""
        while found.count(b'"path"') < 3:
            found += connection.recv(65536)
    assert [found.index(path) for path in (b'"/1"', b'"/openai/2"', b'"/3"')] == sorted(
        found.index(path) for path in (b'"/1"', b'"/openai/2"', b'"/3"')
    )


@pytest.mark.parametrize("size", [0, 1, 30_000_000])
def test_uploads_come_through_whole_by_length_and_in_chunks(front, size):
    body = b"x" * size
    for content in (body, iter([body[: size // 2], body[size // 2 :]])):
        answer = httpx.post(f"{front.url}/openai/v1/images/edits", content=content, timeout=30)
        assert answer.json()["size"] == size


def test_a_refusal_of_an_upload_that_is_still_coming_arrives(front):
    with httpx.Client(base_url=front.url) as client:
        for _ in range(8):
            client.get("/")  # on a connection that is new, and on one that was used
            for content in (b"x" * 30_000_000, iter([b"x" * 1_000_000] * 30)):
                answer = client.post("/refuses", content=content)
                assert (answer.status_code, answer.text) == (413, "too large")


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(front):
    """curl does so for large bodies. The leave is an answer, but not the last one."""
    with front.connect() as connection:
        connection.sendall(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(b"body")
        found = b""
        while b'"size": 4' not in found:
            part = connection.recv(4096)
            assert part, found
            found += part


def test_an_answer_streams_and_a_client_that_hangs_up_is_noticed_behind_it(front, backends):
    with httpx.stream("GET", f"{front.url}/openai/slow") as answer:
        assert next(answer.iter_bytes()) == b"first"  # while the rest is still to come
    assert backends[1].left.wait(5)


def test_the_clients_address_is_passed_on_and_what_it_claims_is_not(front, backends):
    claims = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6", "X-Other": "kept"}
    httpx.get(f"{front.url}/", headers=claims)
    [(_, headers, _)] = backends[0].heard
    found = [(name.lower(), value) for name, value in headers]
    assert [value for name, value in found if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert not {"forwarded", "x-real-ip"} & {name for name, _ in found}
    assert ("x-other", "kept") in found


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused_with_its_status(front, backends, request_, status):
    assert front.say(request_).startswith(b"HTTP/1.1 %d " % status)
    assert not backends[0].heard


def test_large_heads_within_the_limit_pass(front):
    assert httpx.get(f"{front.url}/", headers={"X-Large": "x" * 60_000}).status_code == 200


def test_a_process_that_dies_over_a_request_is_told_as_such(front):
    answer = httpx.get(f"{front.url}/dies")
    assert (answer.status_code, answer.headers["retry-after"]) == (502, "1")
    assert "ended" in answer.text


def test_nobody_behind_it_is_a_page_for_people_and_an_envelope_for_programs():
    front = Front(ports.any_free(), ports.any_free())
    try:
        page, envelope = httpx.get(f"{front.url}/"), httpx.get(f"{front.url}/openai/v1/models")
        assert (page.status_code, envelope.status_code) == (503, 503)
        assert "<h1>" in page.text
        assert envelope.json()["error"]["code"] == "unavailable"
        assert envelope.headers["retry-after"] == "1"
    finally:
        front.process.kill()
        front.process.wait()


def test_connections_on_which_nothing_happens_are_ended(backends):
    """Their limits are minutes; here they are tenths of a second."""
    port = ports.any_free()
    script = (
        "import asyncio, sys; from config.demo import front\n"
        "front.HEAD_SECONDS = front.BODY_SECONDS = front.IDLE_SECONDS = 0.2\n"
        f"asyncio.run(front.Front({backends[0].port}, {backends[1].port}).run('127.0.0.1', {port}))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT)
    try:
        eventually(lambda: ports.answers("127.0.0.1", port, "/"))
        for text, ending in (
            (b"", b""),
            (b"GET / HTTP/1.1\r\nHo", b"HTTP/1.1 408"),
            (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 408"),
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(text)
                assert connection.recv(65536).startswith(ending)
    finally:
        process.kill()
        process.wait()


def test_when_it_is_stopped_who_waits_is_answered_and_who_asks_anew_is_told_so(backends):
    front, gateway = Front(*(each.port for each in backends)), backends[1]
    gateway.go_on.clear()
    try:
        with front.connect() as idle, httpx.stream("GET", f"{front.url}/openai/slow") as answer:
            parts = answer.iter_bytes()
            assert next(parts) == b"first"
            front.process.send_signal(signal.SIGTERM)
            assert idle.recv(1) == b""
            refused = httpx.get(f"{front.url}/")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert "stopped" in refused.text
            gateway.go_on.set()
            assert b"".join(parts) == b"last"
        assert front.process.wait(10) == 0
    finally:
        front.process.kill()
        front.process.wait()
