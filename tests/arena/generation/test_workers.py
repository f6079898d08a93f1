"""Real workers, really killed: nothing is lost, nothing is bought or stored twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from arena import generation
from arena.models import Entry, Generation
from providers.models import Call, ProviderJob
from tests import factories as make

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# A database of its own, also among test runners side by side (gw0, gw1, …): it gets wiped.
RUNNER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BROKER = settings.REDIS_URL.partition("?")[0] + f"?db={7 + RUNNER}"


def awaited(what: str, condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            rows = Generation.objects.values_list("status", "attempt", "outcome", "error")
            pytest.fail(f"not within {seconds} s: {what}. {sorted(set(rows))}")
        time.sleep(0.05)


@contextmanager
def celery(tmp_path: Path, simulator, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process on the test database; killed at the end whatever happens."""
    database = connection.settings_dict
    host = database["HOST"].replace("/", "%2F")
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@{host}:{database['PORT'] or 5432}/{database['NAME']}",
        "REDIS_URL": BROKER,
        "SIMULATOR_URL": simulator.url,
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "GENERATION_TIME_LIMIT": "60",
        "GENERATION_LEASE_GRACE": "1",
        "GENERATION_BACKOFF": "1",
        "DATABASE_POOL": "4",
        "SECRET_KEY": settings.SECRET_KEY,
    }
    log = (tmp_path / f"{arguments[0]}.log").open("ab")
    command = [sys.executable, "-m", "celery", "-A", "config", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=settings.BASE_DIR)
    try:
        yield process
    finally:
        log.close()
        if process.poll() is None:
            process.kill()
        process.wait()


def worker(tmp_path: Path, simulator):
    return celery(
        tmp_path,
        simulator,
        "worker",
        "-P",
        "threads",
        "-c",
        "8",
        "--without-gossip",
        "--without-mingle",
        "-l",
        "warning",
    )


def test_killing_the_worker_and_wiping_the_broker_loses_nothing_and_buys_and_stores_nothing_twice(tmp_path, simulator):
    broker = redis.Redis.from_url(BROKER)
    broker.flushdb()
    quick, slow = make.make_model(), make.make_model()
    small = {"sends": {"image_size": {"width": 64, "height": 64}}}  # drawing is not what is tested here
    for model in (quick, slow):
        make.make_offering(model, "simulated-fal", endpoint=f"studio/{model.slug}", parameters=small)
    competition = make.make_competition()
    for number in range(4):
        generation.plan(make.make_prompt(competition, f"Snow, number {number} [sim:slow=0.2]"), [quick])

    def count(status: str) -> int:
        return Generation.objects.filter(status=status).count()

    schedule = str(tmp_path / "schedule")
    with celery(tmp_path, simulator, "beat", "-s", schedule, "-l", "warning"):
        with worker(tmp_path, simulator) as first:
            awaited("work has begun and some is done", lambda: count("succeeded") >= 2)
            for number in range(4):
                generation.plan(make.make_prompt(competition, f"Snow on hill {number} [sim:slow=8]"), [slow])
            slow_jobs = ProviderJob.objects.filter(offering__image_model=slow)
            awaited("the provider has accepted the slow jobs", lambda: slow_jobs.count() == 4)
            first.send_signal(signal.SIGKILL)
            first.wait()
        cut_off = count("running")
        assert cut_off >= 4
        # Its leases last a minute, so that on no busy machine a living worker looks dead; we need not wait for that.
        Generation.objects.filter(status="running").update(lease_expires_at=timezone.now())
        broker.flushdb()
        with worker(tmp_path, simulator):
            awaited("everything is done", lambda: count("succeeded") == 8)
            awaited("no job is remembered", lambda: not ProviderJob.objects.exists())
    broker.flushdb()
    broker.close()
    assert Entry.objects.count() == 8
    assert Call.objects.filter(outcome="ok").count() <= 8 + cut_off
    assert len(default_storage.listdir("originals")[1]) <= 8 + cut_off
    assert Generation.objects.filter(attempt__gt=2).count() == 0
    # What the killed worker had submitted arrived and was bought once.
    assert simulator.journal()["fal"][f"studio/{slow.slug}"]["created"] == 4
    assert [call.outcome for call in Call.objects.filter(offering__image_model=slow)] == ["ok"] * 4
    rows = Generation.objects.filter(image_model=slow)
    assert {(row.attempt, row.charged_attempts, row.attempts_left) for row in rows} == {
        (2, 0, settings.GENERATION_ATTEMPTS - 1)
    }
