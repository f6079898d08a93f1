"""What needs a person is said where an operator looks: once when it begins, once when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import redis
from django.core import mail
from django.core.checks import run_checks
from django.db import connection

from config.operations import alerts, checks, state, tasks
from providers.connections.heartbeats import WorkerReport

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(settings, monkeypatch) -> Iterator[list[str]]:
    """The texts that a chat's webhook got; its status is the first of the list `statuses` of this function."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(500 if len(texts) == 1 and texts[0].endswith("broken.") else 204)
            self.end_headers()

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/hook"
    monkeypatch.setattr(alerts, "SENT", f"test:alerts:{server.server_port}")
    yield texts
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.delete(alerts.SENT)
    server.shutdown()
    server.server_close()


@pytest.fixture
def well() -> state.SiteState:
    return replace(
        state.current(), store="", worker_reports=[], evicts="", oldest_due=None, migrations=[], boards=[], cap=None
    )


def test_each_problem_is_said_when_it_begins_and_when_it_is_over(webhook, well, settings):
    settings.ALERT_EMAIL = ["ops@arena.example"]
    full = replace(well, store="OSError: No space left")
    for site in (well, full, full, replace(full, oldest_due=timedelta(hours=1)), well, well):
        alerts.send(site)
    assert [text.partition("\n")[2].split("\n") for text in webhook] == [
        ["Images cannot be stored: OSError: No space left."],
        ["The oldest image has been due for 60 minutes."],
        [
            "Over: Images cannot be stored: OSError: No space left.",
            "Over: The oldest image has been due for 60 minutes.",
        ],
    ]
    assert [message.to for message in mail.outbox] == [["ops@arena.example"]] * 3


def test_what_the_webhook_did_not_take_is_sent_again(webhook, well):
    broken = replace(well, store="broken")
    for _ in range(3):
        alerts.send(broken)
    assert len(webhook) == 2


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"worker_reports": [WorkerReport("one", 40)]}, "workers"),
        ({"worker_reports": [WorkerReport("one", 2, ahead=-600.0)]}, "clocks"),
        ({"worker_reports": [WorkerReport("one", 2, knows_secret=False)]}, "secrets"),
        ({"worker_reports": [WorkerReport("one", 2, log_fault="No space left on device")]}, "logs"),
        ({"evicts": "allkeys-lru"}, "eviction"),
        ({"migrations": ["arena.0001"]}, "migrations"),
        ({"cap": Decimal(10), "spent": Decimal("9.5")}, "cap"),
    ],
)
def test_what_needs_a_person(well, change, key):
    assert alerts.problems(well) == alerts.problems(replace(well, cap=Decimal(0))) == {}  # a cap of 0 is meant so
    assert list(alerts.problems(replace(well, **change))) == [key]


def test_the_task_asks_nothing_where_nobody_is_to_be_alerted(settings, django_assert_num_queries):
    with django_assert_num_queries(0):
        tasks.alert()


def test_a_database_that_cannot_hold_every_prompt_is_an_error_before_migrations(monkeypatch):
    assert not [
        message for message in run_checks(tags=["database"], databases=["default"]) if message.id == "arena.E001"
    ]
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        assert cursor.fetchone() == ("UTF8",)
    monkeypatch.setattr(checks, "connections", {"default": Latin()})
    (message,) = checks.encoding(["default"])
    assert "encoded in LATIN1; it must be UTF8" in message.msg


class Latin:
    """A connection to a database of another encoding."""

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str) -> None:
        assert sql == "SHOW server_encoding"

    def fetchone(self) -> tuple[str]:
        return ("LATIN1",)
