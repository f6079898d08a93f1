"""A database that hangs, restarts or is away, behind the entry: the process answers and says so."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from tests.config.granian_site import Site
from tests.config.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


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
