"""The one entry under granian, as in production: slow and hostile clients cost only themselves."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from config.demo import ports
from config.entry.bodies import announced
from config.entry.messages import Rejected
from config.services.places import CHECKOUT
from providers.models import ApiKey
from tests.config.processes import eventually
from tests.providers.gateway.conftest import database_url

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# One process, with a deadline for bodies that a test sets.
PROGRAM = """
import os, sys
from config.entry import bodies
bodies.BODY_SECONDS = float(os.environ["BODY_SECONDS"])
from granian.cli import entrypoint
sys.exit(entrypoint())
"""
LONG = "120"  # longer than any client of these tests waits: whatever is answered was not waiting for a slow client


class Site:
    def __init__(self, log: Path, **environment: str) -> None:
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (log / f"{self.port}.log").open("w+")
        command = [sys.executable, "-c", PROGRAM, "--interface", "asgi", "--workers", "1", "--no-ws", "--http", "1"]
        command += ["--port", str(self.port), "--backlog", "4096", "--http1-header-read-timeout", "60000"]
        self.process = subprocess.Popen(
            [*command, "config.asgi:application"],
            cwd=CHECKOUT,
            env=os.environ
            | {"DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1", "BODY_SECONDS": LONG, "DEBUG": "1"}
            | environment,
            stdout=self.log,
            stderr=self.log,
        )
        eventually(lambda: self.process.poll() is not None or ports.answers("127.0.0.1", self.port, "/healthz"), 60)
        assert self.process.poll() is None, self.output()

    def output(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *texts: bytes) -> bytes:
        """What comes back on one connection, until it is closed or has the whole response."""
        with self.connect() as client:
            for text in texts:
                client.sendall(text)
            client.settimeout(10)
            received = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while part := client.recv(65536):
                    received += part
                    head, end, body = received.partition(b"\r\n\r\n")
                    length = dict(
                        line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
                    ).get(b"content-length")
                    if end and length is not None and len(body) >= int(length):
                        break
            return received

    def assert_others_are_served(self) -> None:
        """A reader of a page, a client of the API and a probe are answered, long before slow clients give up."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            assert client.get("/robots.txt").status_code == 200
            assert client.get("/healthz").text == "ok"
            assert client.get("/openai/v1/openapi.json").status_code == 200


@pytest.fixture(scope="module")
def running(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Site]:
    with django_db_blocker.unblock():
        site = Site(tmp_path_factory.mktemp("entry"))
    yield site
    site.stop()


@pytest.fixture
def site(running: Site) -> Site:
    return running


@contextlib.contextmanager
def clients(site: Site, number: int, text: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(site.connect()) for _ in range(number)]
        for client in opened:
            client.sendall(text)
        yield opened


HALF_PAGE = b"POST /vote/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nCookie: csrftoken=%s\r\n\r\nab" % (
    b"a" * 32
)
HALF_API = b"POST /openai/v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{"


@pytest.mark.parametrize(
    ("number", "text"),
    [(8, HALF_PAGE), (200, HALF_API), (200, b"GET / HTTP/1.1\r\nHost: loc"), (300, b"")],
    ids=["half-sent pages", "half-sent API requests", "half-sent heads", "idle connections"],
)
def test_slow_clients_stop_nobody_else(site, number, text):
    with clients(site, number, text) as opened:
        site.assert_others_are_served()
        assert opened[0].fileno() > 0  # and has not given up


def test_a_header_of_sixty_thousand_spaces_stops_nobody_else(site):
    head = b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nX: a" + b" " * 60_000 + b"b\r\n\r\n"
    with ThreadPoolExecutor(4) as pool:
        replies = [pool.submit(site.send, head) for _ in range(8)]
        site.assert_others_are_served()
        assert all(reply.result().startswith(b"HTTP/1.1") for reply in replies)


def test_a_body_has_one_deadline_however_it_trickles(impatient):
    with impatient.connect() as client:
        client.sendall(HALF_PAGE)
        stop = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.2):
                    client.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            client.settimeout(30)
            reply = client.recv(65536)
        finally:
            stop.set()
            thread.join()
        assert reply.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in reply.lower()


@pytest.fixture
def impatient(django_db_setup, tmp_path) -> Iterator[Site]:
    site = Site(tmp_path, BODY_SECONDS="1")
    yield site
    site.stop()


def test_unfinished_requests_of_one_ip_address_are_bounded(site):
    with clients(site, 70, HALF_PAGE) as opened:

        def statuses() -> list[bytes]:
            replies = []
            for client in opened:
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    replies.append(client.recv(65536, socket.MSG_PEEK)[:12])
            return replies

        eventually(lambda: statuses().count(b"HTTP/1.1 429") >= 6)
        assert statuses().count(b"HTTP/1.1 429") <= 8
        site.assert_others_are_served()


@pytest.mark.parametrize(
    ("path", "length", "allowed"),
    [("/vote/", 2 << 20, "1 MB"), ("/playground/", 300 << 20, "25 MB"), ("/admin/login/", 100 << 20, "64 MB")],
)
def test_a_body_that_is_too_large_is_rejected_by_its_head_with_the_limit(site, path, length, allowed):
    reply = site.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\nabc".encode())
    assert reply.startswith(b"HTTP/1.1 413")
    assert f"may have {allowed}".encode() in reply


def test_the_api_looks_at_the_key_before_it_reads_a_large_body(site):
    head = "POST /openai/v1/images/{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n{}\r\n"
    unknown = "Authorization: Bearer ia_unknown\r\n"
    for path, headers, status in (
        ("edits", "", b"401"),
        ("edits", unknown, b"401"),
        ("nothing", unknown, b"404"),
    ):
        reply = site.send(head.format(path, headers).encode())
        assert reply.split(b" ", 2)[1] == status, reply
        assert json.loads(reply.partition(b"\r\n\r\n")[2])["error"]["message"]
    reply = site.send(b"PUT /openai/v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n")
    assert reply.split(b" ", 2)[1] == b"405"


def test_a_key_above_its_limit_uploads_nothing(site):
    _, secret = ApiKey.make("two a minute", requests_per_minute=2)
    authorization = f"Authorization: Bearer {secret}\r\n"
    large = {"image": b"a" * 100_000}  # its key is looked at first, and its request is counted once all the same
    headers = {"Authorization": f"Bearer {secret}"}
    reply = httpx.post(f"{site.url}/openai/v1/images/edits", files=large, headers=headers, timeout=30)
    assert (reply.status_code, reply.headers["x-ratelimit-remaining-requests"]) == (400, "1")
    httpx.post(f"{site.url}/openai/v1/images/edits", json={}, headers=headers, timeout=30)
    head = f"POST /openai/v1/images/edits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n{authorization}"
    answer = site.send(f"{head}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 429"), answer
    assert b"retry-after: " in answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /openai/v1/images/edits HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n", b"413"),
        (b"TRACE /openai/v1/models HTTP/1.1\r\nHost: a\r\n", b"405"),
        (b"POST /openai/v1/responses HTTP/1.1\r\nHost: a\r\nContent-Type: a/b; charset=rot13\r\n", b"415"),
    ],
)
def test_a_program_in_a_browser_can_read_what_is_rejected_by_its_head(site, head, status):
    """Without CORS a browser hides the status, and without an id nobody can ask about it."""
    reply = site.send(head + b"\r\n").lower()
    assert reply.split(b" ", 2)[1] == status
    assert b"\r\naccess-control-allow-origin: *\r\n" in reply
    assert b"\r\nx-request-id: req_" in reply


def test_routing_follows_the_decoded_path(site):
    for path in ("/%6fpenai/v1/images/generations", "//openai/v1//images/generations", "/v1/images/generations"):
        reply = site.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n".encode())
        assert reply.split(b" ", 2)[1] in (b"401", b"404"), path  # by the API: a page would have said 413
        assert json.loads(reply.partition(b"\r\n\r\n")[2])["error"]["code"]
    reply = site.send(b"GET http://localhost/robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"User-agent" in reply


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (
            b"POST /vote/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (b"POST /vote/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", b"400"),
        (b"GET /models/%00/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /models/?q=%0%000 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"GET /robots.txt HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        *(
            (
                b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded; "
                b"charset=rot13\r\nContent-Length: 1\r\n\r\na" % path,
                b"415",
            )
            for path in (b"/battles/00000000-0000-0000-0000-000000000000/vote/", b"/openai/v1/images/edits")
        ),
    ],
)
def test_what_can_be_read_in_two_ways_is_an_error_of_the_client(site, head, statuses):
    assert site.send(head).split(b" ", 2)[1] == statuses


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"3"), (b"content-length", b"4")],
        [(b"content-length", b"+3")],
        [(b"content-length", "٣".encode())],
    ],
)
def test_two_lengths_are_rejected(headers):
    """Of Transfer-Encoding and Content-Length together granian drops the latter before we see it; others do not."""
    with pytest.raises(Rejected, match="400"):
        announced({"headers": headers})


def test_probes_need_no_host_name(site):
    for path in ("/healthz", "/readyz"):
        reply = site.send(f"GET {path} HTTP/1.1\r\nHost: 10.1.2.3:8000\r\n\r\n".encode())
        assert reply.startswith(b"HTTP/1.1 200")
    assert httpx.head(f"{site.url}/healthz").headers["content-length"] == "2"


@pytest.mark.parametrize(
    "body", [b"ZZ\r\n", b"1;" + b"a" * 50_000 + b"\r\na\r\n0\r\n\r\n", b"-1\r\n\r\n", b"1\r\nab\r\n"]
)
@pytest.mark.parametrize("path", [b"/suggestions/", b"/openai/v1/images/generations"])
def test_a_malformed_chunk_is_the_clients_error(site, path, body):
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert site.send(head + body).startswith(b"HTTP/1.1 4")


def test_a_client_that_leaves_amid_its_body_leaves_no_traceback(site):
    before = len(site.output())
    for _ in range(5):
        with site.connect() as client:
            client.sendall(b"POST /suggestions/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
    site.assert_others_are_served()
    assert "Traceback" not in site.output()[before:]


def test_http_2_whose_heads_have_no_deadline_is_not_spoken(site):
    assert site.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == b""  # closed; HTTP/2 would begin with its settings


def test_connections_end_where_the_client_says_so(site):
    for text in (
        b"GET /robots.txt HTTP/1.0\r\nHost: localhost\r\n\r\n",
        b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ):
        with site.connect() as client:
            client.sendall(text)
            while client.recv(65536):
                pass  # ends, or the test would time out


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(site):
    """Behind one proxy, the IP address that throttles is the proxy's word, not X_Forwarded_For."""
    from config.entry.pages import environment

    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": [(b"x-forwarded-for", b"1.2.3.4")]}
    with open(os.devnull, "rb") as body:
        assert environment(scope, body)["HTTP_X_FORWARDED_FOR"] == "1.2.3.4"
    reply = site.send(b"GET /openai/v1/models HTTP/1.1\r\nHost: localhost\r\nAuthori_zation: x\r\n\r\n")
    assert b"HTTP/1.1" in reply


class Cable:
    """Between the site and PostgreSQL: can hang, as a stopped machine does, or be cut, as by a restart."""

    def __init__(self) -> None:
        host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"] or 5432
        self.target = f"{host}/.s.PGSQL.{port}"
        self.flows = threading.Event()
        self.flows.set()
        self.is_cut = False
        self.open: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.is_cut:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                self.open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self.copy, args=(source, target), daemon=True).start()

    def copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.is_cut = True
        while self.open:
            end = self.open.pop()
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def cable() -> Iterator[Cable]:
    if not str(connection.settings_dict["HOST"]).startswith("/"):
        pytest.skip("the database of this run is not on a Unix socket")
    cable = Cable()
    yield cable
    cable.flows.set()
    cable.cut()
    cable.listener.close()


@contextlib.contextmanager
def behind(cable: Cable, log: Path, **environment: str) -> Iterator[Site]:
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@127.0.0.1:{cable.port}/{settings['NAME']}"
    site = Site(log, DATABASE_URL=url, **environment)
    try:
        yield site
    finally:
        cable.flows.set()
        site.stop()


@pytest.fixture
def wired(cable: Cable, tmp_path: Path) -> Iterator[Site]:
    with behind(cable, tmp_path) as site:
        yield site


def test_while_the_database_hangs_the_process_answers_and_names_the_part(wired, cable):
    assert httpx.get(f"{wired.url}/sitemap.xml", timeout=30).status_code == 200
    cable.flows.clear()
    with ThreadPoolExecutor(4) as pool:  # more than there are threads for pages
        pages = [pool.submit(httpx.get, f"{wired.url}/sitemap.xml", timeout=60) for _ in range(4)]
        reply = httpx.get(f"{wired.url}/readyz", timeout=30)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")
        assert "does not answer" in reply.json()["database"]
        assert httpx.get(f"{wired.url}/healthz", timeout=30).text == "ok"
        cable.flows.set()
        assert [page.result().status_code for page in pages] == [200] * 4
    eventually(lambda: httpx.get(f"{wired.url}/readyz", timeout=30).status_code == 200)


def test_a_restart_of_the_database_is_a_friendly_503_and_then_over(wired, cable):
    assert httpx.get(f"{wired.url}/sitemap.xml", timeout=30).status_code == 200
    cable.cut()
    for _ in range(3):  # each thread has a connection
        reply = httpx.get(f"{wired.url}/sitemap.xml", timeout=30)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")
        assert "Try again" in reply.text
    assert httpx.get(f"{wired.url}/readyz", timeout=30).status_code == 503
    cable.is_cut = False
    for _ in range(4):
        assert httpx.get(f"{wired.url}/sitemap.xml", timeout=30).status_code == 200
    cable.cut()  # and again, but back before anybody asks
    cable.is_cut = False
    for _ in range(4):
        assert httpx.get(f"{wired.url}/sitemap.xml", timeout=30).status_code == 200


def test_a_database_that_is_away_is_an_error_of_the_api_that_clients_may_retry(cable, tmp_path):
    """Nothing has been bought yet, and official clients retry none of our 5xx unless it says so."""
    headers = {"Authorization": "Bearer ia_unknown"}
    large = {"image": b"a" * 100_000}  # the key is looked at before the body is read
    with behind(cable, tmp_path, DATABASE_CONNECT_TIMEOUT="1") as site:

        def send(method: str, path: str, **body: Any) -> httpx.Response:
            return httpx.request(method, f"{site.url}/openai/v1/{path}", headers=headers, timeout=60, **body)

        cable.cut()
        with ThreadPoolExecutor(3) as pool:
            replies = [
                pool.submit(send, "GET", "models"),
                pool.submit(send, "POST", "images/generations", json={"prompt": "a kite"}),
                pool.submit(send, "POST", "images/edits", files=large),
            ]
            for reply in (reply.result() for reply in replies):
                assert (reply.status_code, reply.json()["error"]["code"]) == (503, "database_unavailable"), reply.text
                assert (reply.headers["retry-after"], reply.headers["x-should-retry"]) == ("5", "true")
        cable.is_cut = False
        eventually(lambda: send("GET", "models").status_code == 401)


def test_what_is_under_way_is_completed_when_the_site_is_stopped(django_db_setup, tmp_path):
    site = Site(tmp_path)
    try:
        with site.connect() as client:
            client.sendall(b"POST /search/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na")
            site.process.send_signal(signal.SIGTERM)
            client.sendall(b"bc")
            client.settimeout(20)
            assert client.recv(65536).startswith(b"HTTP/1.1 4")  # 403 or 405, but an answer
    finally:
        site.stop()
    assert site.process.returncode == 0
