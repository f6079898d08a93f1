"""The one entry under granian, as in production: slow and hostile clients cost only themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from config.entry.bodies import BYTES_A_PART, PARTS, Bodies, announced
from config.entry.messages import Rejected
from providers.models import ApiKey
from tests.config.granian_site import Site
from tests.config.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


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
        (b"POST /openai/v1/responses HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n", b"415"),
        (b"GET /openai/v1/models?q=%s HTTP/1.1\r\nHost: a\r\n" % (b"a" * 8192), b"414"),
    ],
)
def test_a_program_in_a_browser_can_read_what_is_rejected_by_its_head(site, head, status):
    """Without CORS a browser hides the status, and without an id nobody can ask about it."""
    _, secret = ApiKey.make("of seven a minute", requests_per_minute=7)
    authorization = f"Authorization: Bearer {secret}\r\n\r\n".encode()
    reply = site.send(head + authorization).lower()
    assert reply.split(b" ", 2)[1] == status
    assert b"\r\naccess-control-allow-origin: *\r\n" in reply
    assert b"\r\nx-request-id: req_" in reply
    assert b"\r\nx-ratelimit-limit-requests: 7\r\n" in reply
    assert b"\r\nx-ratelimit-remaining-requests: 7\r\n" in reply  # it was not counted
    assert b"\r\nx-ratelimit" not in site.send(head + b"\r\n").lower()


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
        # Another sender in front could have read each of these otherwise than we would.
        (b"POST /vote/ HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /vote/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /vote/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /vote/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", b"400"),
        (b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", b"400"),
        (b"GET /models/%00/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /models/?q=%0%000 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"GET /robots.txt HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"GET /models/?q=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 8192), b"414"),
        (b"POST /vote/ HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\na", b"415"),
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


def test_a_body_is_complete_with_its_last_byte():
    """Granian reports the end of a body by itself: a turn of the loop, and a check of the key, later."""
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in (b"kite", b"late")]

    async def receive():
        return messages.pop(0)

    async def check():
        raise AssertionError("a body that comes at once is not checked before")

    scope = {"headers": [(b"content-length", b"4")]}

    async def read():
        async with Bodies().read(scope, receive, limit=100, ip_address="", check=check) as body:
            return body.read()

    with ThreadPoolExecutor() as pool:  # where no event loop runs
        assert pool.submit(lambda: asyncio.run(read())).result() == b"kite"
    assert len(messages) == 1


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


def test_a_body_in_crumbs_is_not_read_to_its_end(site):
    head = b"POST /suggestions/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with site.connect() as client:
        client.sendall(head + b"1\r\na\r\n" * (PARTS + 100))
        reply = client.recv(65536)
    assert reply.startswith(b"HTTP/1.1 400")
    assert b"too many pieces" in reply
    assert b"connection: close" in reply.lower()


def test_a_body_in_small_packets_is_read(site):
    """Many small pieces, which a large body may have, or few of a byte."""
    piece = b"%x\r\n%s\r\n" % (BYTES_A_PART, b"a" * BYTES_A_PART)
    head = b"POST /playground/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for pieces in (piece * (PARTS + 500), b"1\r\na\r\n" * (PARTS - 100)):
        assert site.send(head + pieces + b"0\r\n\r\n").startswith(b"HTTP/1.1 403")  # without a CSRF token


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


def test_what_is_under_way_is_completed_when_the_site_is_stopped(django_db_setup, tmp_path):
    site = Site(tmp_path)
    try:
        with site.connect() as client:
            client.settimeout(20)
            client.sendall(
                b"POST /search/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
            )
            assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # from here on it is under way
            site.process.send_signal(signal.SIGTERM)
            client.sendall(b"abc")
            assert client.recv(65536).startswith(b"HTTP/1.1 4")  # 403 or 405, but an answer
    finally:
        site.stop()
    assert site.process.returncode == 0
