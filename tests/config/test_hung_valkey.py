"""A Valkey that accepts connections and never answers costs no page, no vote and no image."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
from django.contrib.auth.models import User
from django.core.cache import caches

from arena.models import Vote
from config import login
from providers import cache
from providers.connections import valkey_client
from providers.models import ApiKey
from tests import factories as make
from tests.config.granian_site import Site
from tests.providers.gateway.conftest import offered


class HungServer:
    """Keeps every connection and says nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connections: list[socket.socket] = []
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self.listener.accept()[0])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which closing does not everywhere
        self.listener.close()
        self.accepting.join(10)
        for connection in self.connections:
            connection.close()


@pytest.fixture
def hung() -> Iterator[HungServer]:
    server = HungServer()
    yield server
    server.close()


@pytest.fixture
def cache_in_it(hung: HungServer, settings, monkeypatch) -> HungServer:
    monkeypatch.setattr(valkey_client, "CACHE_TIMEOUT", 0.05)
    monkeypatch.setattr(valkey_client, "COOLDOWN", 600.0)
    settings.REDIS_URL = hung.url
    options = {"LOCATION": hung.url, "OPTIONS": valkey_client.cache_options()}
    settings.CACHES = {"default": settings.CACHES["default"] | options}
    return hung


@pytest.fixture
def site(hung: HungServer, simulator, django_db_setup, tmp_path: Path) -> Iterator[Site]:
    environment = {"SIMULATOR_URL": simulator.url, "MEDIA_ROOT": str(tmp_path / "media"), "VOTE_NEEDS_IMAGES": "0"}
    site = Site(tmp_path, REDIS_URL=hung.url, **environment)
    yield site
    site.stop()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_pages_votes_and_the_api_go_on_and_readyz_names_it(site):
    entry = make.make_entry()
    make.make_entry(entry.prompt)
    category = entry.prompt.competition.category
    offered("kite")
    _, secret = ApiKey.make("hung")
    with httpx.Client(base_url=site.url, timeout=60, follow_redirects=True) as client:
        assert client.get("/healthz").text == "ok"
        reply = client.get("/readyz")
        assert (reply.status_code, reply.json()["database"], reply.json()["store"]) == (503, "ok", "ok")
        assert reply.json()["broker"] == "does not answer: TimeoutError"
        for path in ("/", "/leaderboard/", "/models/", "/status/", "/sitemap.xml"):
            assert client.get(path).status_code == 200, path
        page = client.get(f"/arena/{category.slug}/").text
        form = dict(re.findall(r'name="(csrfmiddlewaretoken|ballot)"\s+value="([^"]+)"', page)) | {"outcome": "left"}
        assert client.post(only(r'action="([^"]*/vote/)"', page), data=form).status_code == 200
        assert Vote.objects.count() == 1
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.get("/openai/v1/models").status_code == 200
        fields = {"model": "kite", "prompt": "A red kite", "response_format": "b64_json"}
        reply = client.post("/openai/v1/images/generations", json=fields)
        assert reply.status_code == 200, reply.text


def only(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]


def test_the_first_timeout_of_the_cache_spares_the_others_theirs(cache_in_it, monkeypatch):
    connect, threads = redis.Connection.connect_check_health, list[int]()

    def noted(connection, **options):  # threads that other tests left behind may connect, too
        threads.append(threading.get_ident())
        connect(connection, **options)

    monkeypatch.setattr(redis.Connection, "connect_check_health", noted)
    for number in range(20):
        assert cache.get("board", number) is None
        assert cache.put(number, "board", number, seconds=60) == number
    assert threads.count(threading.get_ident()) == 1


def test_after_a_restart_the_cache_is_used_at_once(settings):
    """A pooled connection that was closed is replaced within the same command."""
    name = f"test:{secrets.token_hex(8)}"
    shared = caches["default"]
    shared.set(name, 1, 60)
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.client_kill_filter(_type="normal", skipme=True)
    assert shared.get(name) == 1


@pytest.mark.django_db
def test_wrong_passwords_of_the_admin_are_counted_all_the_same(cache_in_it, client):
    User.objects.create_superuser("boss", password="the right password")
    for _ in range(login.LIMIT):
        assert client.post("/admin/login/", {"username": "boss", "password": "wrong"}).status_code == 200
    right = {"username": "boss", "password": "the right password"}
    assert client.post("/admin/login/", right).status_code == 429
