"""Limits shared by all workers: requests are spaced in the order they came, never more at once than allowed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings

from providers.adapters.base import Deadline
from providers.admission import limits, valkey
from providers.admission.admit import admitted
from providers.errors import Cancelled, NotSent, RateLimited
from tests.providers.steps import give_back, offering_of, pause, take

TOP = """
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if n > tonumber(redis.call('GET', KEYS[2]) or 0) then redis.call('SET', KEYS[2], n) end
if tonumber(ARGV[1]) > 0 then redis.call('INCR', KEYS[3]) end
redis.call('PEXPIRE', KEYS[1], 60000)
return {n, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}
"""


def configured(settings, concurrency: int = 0, rate: float = 0, **limits) -> None:
    settings.PROVIDERS = {"acme": {"limits": {"concurrency": concurrency, "rate": rate, **limits}}}


def queued() -> int:
    return int(valkey.run("return redis.call('ZCARD', KEYS[1])", ["queue:acme"], []))


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def count(step: int) -> list[int]:
    """Counted beside the leases, so that the leases' own script is not its own witness: now, at most, in all."""
    return [int(count or 0) for count in valkey.run(TOP, ["test-now", "test-top", "test-all"], [step])]


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
            until(lambda: count(0)[1] >= 10)  # the first ten wait for each other: all the leases there are
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
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
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


def test_requests_that_give_up_get_times_to_retry_of_their_own(settings):
    configured(settings, concurrency=2)
    leases = [take("acme", 30) for _ in range(2)]
    waits = []
    for _ in range(4):
        with pytest.raises(NotSent, match="2 requests, as many as ACME_CONCURRENCY allows") as caught:
            take("acme", 30)
        assert caught.value.own_limit
        waits.append(caught.value.retry_after)
    assert waits == sorted(waits)
    assert waits[3] - waits[0] == pytest.approx(1.5, abs=0.2)  # two a second
    assert queued() == 0
    give_back(leases[0])
    take("acme", 30)


def test_after_a_burst_requests_are_spaced_and_none_is_rejected(settings):
    configured(settings, rate=40, burst=5)
    started = time.monotonic()

    def request(_: int) -> float:
        with admitted(offering_of("acme"), Deadline(30), max_wait=20):
            seconds: float = time.monotonic() - started
        return seconds

    with ThreadPoolExecutor(25) as pool:
        times = sorted(pool.map(request, range(25)))
    for number, seconds in enumerate(times):
        assert seconds >= (number - 4) / 40 - 0.005


def test_twenty_visitors_at_once_get_their_turn(settings):
    configured(settings, concurrency=3)

    def request(_: int) -> int:
        with admitted(offering_of("acme"), Deadline(30), max_wait=20):
            now = count(+1)[0]
            time.sleep(0.01)
            count(-1)
            return now

    with ThreadPoolExecutor(20) as pool:
        assert max(pool.map(request, range(20))) <= 3
    assert count(0) == [0, 3, 20]
    assert queued() == 0


def test_who_came_first_is_served_first(settings):
    configured(settings, concurrency=1)
    lease, order = take("acme", 30), list[int]()

    def request(number: int) -> None:
        with admitted(offering_of("acme"), Deadline(30), max_wait=20):
            order.append(number)

    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            pool.submit(request, number)
            until(lambda number=number: queued() == number + 1)
        give_back(lease)
    assert order == list(range(6))


def test_a_request_that_is_not_heard_of_loses_its_place(settings, monkeypatch):
    monkeypatch.setattr(limits, "QUEUE_TIMEOUT", 0.1)
    configured(settings, concurrency=1)
    lease, dead = take("acme", 30), limits.lease(offering_of("acme"))
    valkey.run_all(limits.question(dead, 30))
    assert queued() == 1
    give_back(lease)
    until(lambda: passes("acme"))
    assert queued() == 0


def passes(provider: str, model: int = 1) -> bool:
    try:
        take(provider, 30, model)
    except NotSent:
        return False
    return True


def test_a_request_waits_no_longer_than_it_may(settings):
    configured(settings, concurrency=1)
    take("acme", 30)
    with pytest.raises(NotSent, match="ACME_CONCURRENCY"), admitted(offering_of("acme"), Deadline(30), max_wait=0.1):
        raise AssertionError
    assert queued() == 0


def test_a_request_that_would_wait_in_vain_does_not_wait(settings, monkeypatch):
    monkeypatch.setattr(limits, "QUEUE_TIMEOUT", 60.0)
    configured(settings, concurrency=2)
    leases = [take("acme", 30) for _ in range(2)]
    for _ in range(3):
        valkey.run_all(limits.question(limits.lease(offering_of("acme")), 30))
    started = time.monotonic()
    patient = Deadline(300, usual=60)  # two places, three requests ahead: its turn is in two minutes
    with pytest.raises(NotSent, match="ACME_CONCURRENCY"), admitted(offering_of("acme"), patient, max_wait=100):
        raise AssertionError
    assert time.monotonic() - started < 50
    assert len(leases) == 2


def test_a_caller_who_is_gone_leaves_the_queue(settings):
    configured(settings, concurrency=1)
    take("acme", 30)
    stop = threading.Event()

    def request() -> None:
        with admitted(offering_of("acme"), Deadline(30, stop=stop), max_wait=20):
            raise AssertionError

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(request)
        until(lambda: queued() == 1)
        stop.set()
        with pytest.raises(Cancelled):
            waiting.result()
    assert queued() == 0


@pytest.mark.parametrize(("scope", "other_passes"), [("model", True), ("provider", False)])
def test_a_429_pauses_the_model_or_the_provider_as_its_limits_are(settings, scope, other_passes):
    configured(settings, concurrency=2, pause=scope)
    with pytest.raises(RateLimited), admitted(offering_of("acme"), Deadline(30), max_wait=0):
        raise RateLimited("429", retry_after=30)
    assert not passes("acme")
    assert passes("acme", model=2) == other_passes


def test_requests_for_a_paused_model_hold_up_no_others(settings):
    configured(settings, concurrency=1, pause="model")
    pause("acme", 30)
    stop = threading.Event()

    def request() -> None:
        with admitted(offering_of("acme"), Deadline(60, stop=stop), max_wait=40):
            raise AssertionError

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(request) for _ in range(3)]
        for _ in range(5):
            give_back(take("acme", 30, model=2))
        stop.set()
        assert {type(future.exception()) for future in waiting} == {Cancelled}


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
    with pytest.raises(NotSent, match="acme asked for no more requests for another 30 s") as caught:
        take("acme", 1)
    assert not caught.value.own_limit
    return caught.value.retry_after or 0


def test_without_valkey_calls_go_on_unlimited_and_no_call_waits_for_it(settings, caplog, monkeypatch):
    configured(settings, concurrency=1)
    monkeypatch.setattr(valkey, "COOLDOWN", 600.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    valkey.disconnect()
    for _ in range(50):
        give_back(take("acme", 30))
        pause("acme", 60)
    assert caplog.text.count("Valkey does not answer") == 1
    valkey.disconnect()


def test_without_limits_nobody_waits(settings):
    configured(settings)
    for _ in range(100):
        take("acme", 30)
