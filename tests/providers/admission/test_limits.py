"""Limits shared by all workers: never exceeded, given back, expiring, and left out when Valkey is away."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings

from providers.admission import limits, valkey
from providers.errors import NotSent
from tests.providers.steps import give_back, pause, take

TOP = """
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if n > tonumber(redis.call('GET', KEYS[2]) or 0) then redis.call('SET', KEYS[2], n) end
if tonumber(ARGV[1]) > 0 then redis.call('INCR', KEYS[3]) end
redis.call('PEXPIRE', KEYS[1], 60000)
return {n, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}
"""


def configured(settings, concurrency: int = 0, rate: float = 0) -> None:
    settings.PROVIDERS = {"acme": {"limits": {"concurrency": concurrency, "rate": rate}}}


def count(step: int) -> list[int]:
    """Counted beside the leases, so that the leases' own script is not its own witness: now, at most, in all."""
    return [int(each or 0) for each in valkey.run(TOP, ["test-now", "test-top", "test-all"], [step])]


def work(threads: int, rounds: int) -> None:
    def one(_: int) -> None:
        done = 0
        while done < rounds:
            try:
                lease = take("acme", 30)
            except NotSent:
                time.sleep(0.002)
                continue
            count(+1)
            time.sleep(0.004)
            count(-1)
            give_back(lease)
            done += 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(threads)))


CHILD = """
import os, sys, django
from django.conf import settings
django.setup()
settings.PROVIDERS = {"acme": {"limits": {"concurrency": 10, "rate": 0}}}
from providers.admission import valkey
from tests.providers.admission.test_limits import work
valkey.PREFIX = sys.argv[1]
print("ready", flush=True); sys.stdin.readline()
work(20, 5)
valkey.disconnect()
"""


def test_forty_threads_in_two_processes_never_hold_more_than_ten_leases(settings):
    configured(settings, concurrency=10)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, valkey.PREFIX],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=django_settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x" * 50},
    )
    with child:
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        work(20, 5)
        child.stdin.close()
        assert child.wait(60) == 0
    now, top, total = count(0)
    assert (now, top, total) == (0, 10, 200)


def test_who_is_refused_gets_a_time_of_his_own(settings):
    configured(settings, concurrency=2)
    held = [take("acme", 30) for _ in range(2)]
    waits = []
    for _ in range(4):
        with pytest.raises(NotSent, match="2 requests, as many as ACME_CONCURRENCY allows") as caught:
            take("acme", 30)
        assert caught.value.own_limit
        waits.append(caught.value.retry_after)
    assert waits == sorted(waits)
    assert waits[3] - waits[0] == pytest.approx(1.5, abs=0.2)  # a line that moves twice a second
    give_back(held[0])
    take("acme", 30)


def test_the_rate_is_kept_over_time(settings):
    configured(settings, rate=50)
    started, passed = time.monotonic(), 0
    while passed < 20:
        try:
            take("acme", 30)
            passed += 1
        except NotSent:
            time.sleep(0.001)
    assert time.monotonic() - started >= 19 / 50 - 0.005


def test_a_dead_workers_lease_ends_by_itself(settings, monkeypatch):
    monkeypatch.setattr(limits, "GRACE", 0.05)
    configured(settings, concurrency=1)
    take("acme", 0.05)
    with pytest.raises(NotSent):
        take("acme", 1)
    end = time.monotonic() + 5
    while True:
        try:
            take("acme", 1)
            break
        except NotSent:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_pause_counts_for_everybody_and_the_longer_one_wins(settings):
    configured(settings)
    pause("acme", 30)
    pause("acme", 1)
    waits = []
    work_ = threading.Thread(target=lambda: waits.append(held()))
    work_.start()
    work_.join()
    assert waits[0] == pytest.approx(30, abs=1)


def held() -> float:
    with pytest.raises(NotSent, match="acme asked not to be asked for another 30 s") as caught:
        take("acme", 1)
    assert not caught.value.own_limit
    return caught.value.retry_after or 0


def test_without_valkey_calls_go_on_unlimited_and_no_call_waits_for_it(settings, caplog):
    configured(settings, concurrency=1)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    valkey.disconnect()
    started = time.monotonic()
    for _ in range(50):
        give_back(take("acme", 30))
        pause("acme", 60)
    assert time.monotonic() - started < 1
    assert caplog.text.count("Valkey does not answer") == 1
    valkey.disconnect()


def test_without_limits_nobody_waits(settings):
    configured(settings)
    for _ in range(100):
        take("acme", 30)
