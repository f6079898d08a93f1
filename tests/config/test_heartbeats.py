"""Beat and workers that are silent are named; of two beats one leads. Real processes of Celery, really stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from time import time

import pytest
import redis
from django.conf import settings

from config import logs
from config.heartbeats import LEADER, LEASE_MILLISECONDS, Scheduler
from config.services.places import CHECKOUT
from providers.connections import heartbeats
from tests.config.processes import eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def valkey(settings) -> Iterator[redis.Redis]:
    """A database of its own in Valkey, emptied."""
    runner = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    settings.REDIS_URL = settings.REDIS_URL.partition("?")[0] + f"?db={11 + runner}"
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushdb()
        yield valkey
        valkey.flushdb()


def celery(*arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    environment = os.environ | {"REDIS_URL": settings.REDIS_URL, "SECRET_KEY": settings.SECRET_KEY}
    command = [sys.executable, "-m", "celery", "-q", "-A", "config", *arguments, "-l", "warning"]
    if log is None:
        return subprocess.Popen(command, env=environment, cwd=CHECKOUT)
    with log.open("w") as file:
        return subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=file, stderr=file)


def test_never_seen_and_long_silent_are_not_ok(valkey):
    assert heartbeats.state() == dict.fromkeys(("beat", "workers"), "has not been seen for a day")
    heartbeats.record_beat()
    heartbeats.record_worker("one")
    assert heartbeats.state() == {"beat": "ok", "workers": "ok"}
    now = valkey.time()[0]
    valkey.set(heartbeats.BEAT, now - 31)
    valkey.zadd(heartbeats.WORKERS, {"one": now - 40})
    state = heartbeats.state()
    assert state["beat"].startswith("silent for 3")
    assert state["workers"].startswith("silent for 4")
    assert [row.name for row in heartbeats.workers() if row.is_silent] == ["one"]
    heartbeats.record_worker("two")
    assert heartbeats.state()["workers"] == "ok"


def test_a_worker_with_another_clock_or_another_secret_is_named(valkey, settings, monkeypatch):
    heartbeats.record_worker("right")
    own = settings.SECRET_KEY
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(heartbeats, "time", lambda: time() + 600)
        heartbeats.record_worker("ahead")
    settings.SECRET_KEY = "another secret than that of the others"
    heartbeats.record_worker("stranger")
    settings.SECRET_KEY = own
    valkey.zadd(heartbeats.WORKERS, {"of an earlier release": valkey.time()[0]})
    reports = {report.name: report for report in heartbeats.workers()}
    assert {name: report.faults for name, report in reports.items() if report.faults} == {
        "ahead": ["its clock is +600 s wrong"],
        "stranger": ["another SECRET_KEY than here"],
    }
    settings.SECRET_KEY_FALLBACKS = ["another secret than that of the others"]
    assert all(report.knows_secret for report in heartbeats.workers())
    heartbeats.forget_worker("stranger")
    assert b"stranger" not in valkey.hgetall(heartbeats.DETAILS)
    assert not any(own.encode()[:12] in details for details in valkey.hvals(heartbeats.DETAILS))


def test_a_worker_whose_log_cannot_be_written_goes_on_and_says_so(valkey):
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:  # closing writes what is left
        handler = logs.Stderr(full)
        logging.root.addHandler(handler)
        try:
            logging.getLogger("tests.full").error("a line")
            heartbeats.record_worker("mute")
            assert [row.faults for row in heartbeats.workers()] == [
                ["its log cannot be written: No space left on device"]
            ]
            handler.stream = StringIO()
            logging.getLogger("tests.full").error("a line")
            heartbeats.record_worker("mute")
            assert [row.faults for row in heartbeats.workers()] == [[]]
        finally:
            logging.root.removeHandler(handler)


@pytest.mark.django_db
def test_readyz_names_them_and_stays_ready(client, valkey):
    reply = client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["beat"] != "ok"
    assert "Silent for more than 30 seconds: beat, workers" in client.get("/status/").content.decode()
    heartbeats.record_beat()
    heartbeats.record_worker("one")
    assert {client.get("/readyz").json()[name] for name in ("beat", "workers")} == {"ok"}


@pytest.mark.django_db
def test_a_web_process_with_another_secret_than_all_workers_says_so(client, valkey, settings):
    heartbeats.record_worker("one")
    assert client.get("/readyz").json()["workers"] == "ok"
    settings.SECRET_KEY = "of this machine alone, by a mistake"
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()["workers"]) == (200, "have another SECRET_KEY than this machine")
    heartbeats.record_worker("two")
    assert client.get("/readyz").json()["workers"] == "ok"


def test_of_two_beats_one_leads_and_the_other_takes_over(valkey, tmp_path):
    """The first one's log is on a disk that is full: that stops nobody."""
    first = celery("beat", "-s", str(tmp_path / "one"), log=Path("/dev/full"))
    second = None
    try:
        eventually(lambda: valkey.get(heartbeats.BEAT), 60)
        leader = valkey.get(LEADER)
        second = celery("beat", "-s", str(tmp_path / "two"))
        first.send_signal(signal.SIGKILL)
        first.wait()
        valkey.delete(heartbeats.BEAT)
        assert 0 < valkey.pttl(LEADER) <= LEASE_MILLISECONDS
        valkey.pexpire(LEADER, 1)  # its lease ends
        eventually(lambda: valkey.get(heartbeats.BEAT), 60)
        assert valkey.get(LEADER) != leader
    finally:
        for process in filter(None, (first, second)):
            process.kill()
            process.wait()


def test_a_worker_reports_and_says_when_it_ends(valkey):
    worker = celery("worker", "-P", "threads", "-c", "2", "--without-gossip", "--without-mingle")
    try:
        eventually(lambda: valkey.zcard(heartbeats.WORKERS) == 1, 60)
        worker.terminate()
        assert worker.wait(60) == 0
        assert valkey.zcard(heartbeats.WORKERS) == 0
    finally:
        worker.kill()
        worker.wait()


def test_the_worker_of_the_demo_runs_the_beat_that_reports(tmp_path):
    from config.demo.worker import BeatThread

    service = BeatThread(str(tmp_path / "schedule")).service
    assert isinstance(service.get_scheduler(lazy=True), Scheduler)
