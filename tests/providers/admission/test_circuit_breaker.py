"""The circuit of an offering: opens after failures in a row, lets one probe through, closes or opens for longer."""

from __future__ import annotations

import time

import pytest
from django.conf import settings

from providers.admission import circuit_breaker, valkey
from providers.errors import (
    BadOutput,
    ContentPolicy,
    InvalidRequest,
    NotSent,
    OutOfCredit,
    ProviderFailure,
    RateLimited,
)
from tests.providers.steps import check, report

FAILURE = ProviderFailure("500")


def fail(times: int = circuit_breaker.FAILURES, party: str = "") -> None:
    for _ in range(times):
        report(1, FAILURE, party)


def is_closed(party: str = "") -> bool:
    try:
        check(1, "fal's model", 30, party)
    except NotSent:
        return False
    return True


@pytest.fixture
def _short(monkeypatch):
    monkeypatch.setattr(circuit_breaker, "MIN_COOLDOWN", 0.05)


def half_open() -> None:
    """Wait until the rest is over: the first check after that is the probe."""
    end = time.monotonic() + 5
    while not is_closed():
        assert time.monotonic() < end
        time.sleep(0.005)


def milliseconds() -> int:
    """The time as the circuit reads it: whole milliseconds of Valkey's clock. Another clock may be one off."""
    seconds, microseconds = valkey._client(settings.REDIS_URL).time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def test_it_opens_after_failures_in_a_row_and_says_for_how_long():
    fail(circuit_breaker.FAILURES - 1)
    assert is_closed()
    fail(1)
    with pytest.raises(NotSent, match="fal's model failed 5 times in a row") as caught:
        check(1, "fal's model", 30)
    assert caught.value.retry_after == pytest.approx(30, abs=1)
    assert not caught.value.own_limit
    check(2, "another offering", 30)


@pytest.mark.parametrize("answer", [None, ContentPolicy("no")])
def test_an_answer_in_between_forgets_the_failures(answer):
    fail(circuit_breaker.FAILURES - 1)
    report(1, answer)
    fail(circuit_breaker.FAILURES - 1)
    assert is_closed()


@pytest.mark.parametrize("error", [RateLimited("429"), OutOfCredit("402"), InvalidRequest("422")])
def test_what_is_not_the_providers_fault_never_opens_it(error):
    for _ in range(20):
        report(1, error)
    assert is_closed()


@pytest.mark.usefixtures("_short")
def test_one_probe_passes_and_its_success_closes():
    fail()
    half_open()
    assert not any(is_closed() for _ in range(5))  # the probe is out
    report(1, None)
    assert all(is_closed() for _ in range(5))


@pytest.mark.usefixtures("_short")
def test_a_failed_probe_opens_it_for_longer():
    fail()
    half_open()
    started = milliseconds()
    report(1, BadOutput("nothing"))
    half_open()
    assert milliseconds() - started >= 100  # twice the first rest


@pytest.mark.usefixtures("_short")
def test_a_probe_that_was_throttled_leaves_the_way_to_the_next():
    fail()
    half_open()
    report(1, RateLimited("429"))
    assert is_closed()
    assert not is_closed()


def test_late_failures_of_calls_from_before_do_not_prolong_it():
    fail(circuit_breaker.FAILURES * 4)
    with pytest.raises(NotSent) as caught:
        check(1, "fal's model", 30)
    assert caught.value.retry_after <= 30


def test_failures_of_one_party_stop_its_own_calls_and_nobody_elses():
    fail(50, "key 1")
    assert not is_closed("key 1")
    assert is_closed()
    assert is_closed("key 2")
    fail(1, "key 2")
    assert is_closed("key 2")
    assert is_closed("key 3")


def test_failures_of_several_parties_stop_everybodys_calls():
    for party in ("key 1", "key 2", "visitors"):
        assert is_closed("key 9")
        fail(2, party)
    assert not any(is_closed(party) for party in ("", "key 1", "key 9"))
    assert circuit_breaker.cooling_down([1])


def test_a_failure_of_no_party_counts_beside_those_of_a_party():
    fail(50, "key 1")
    fail(circuit_breaker.FAILURES - circuit_breaker.PARTY_FAILURES - 1)
    assert is_closed("key 2")
    fail(1)
    assert not is_closed("key 2")


def test_an_answer_to_another_party_closes_the_circuit_of_all_and_not_that_of_a_failing_party():
    fail(party="key 1")
    fail(party="key 2")
    report(1, FAILURE)
    assert not is_closed("key 3")
    report(1, None, "key 3")
    assert is_closed("key 3")
    assert not is_closed("key 1")
    report(1, None, "key 1")
    assert is_closed("key 1")


@pytest.mark.usefixtures("_short")
def test_a_failing_party_that_gets_the_probe_leaves_it_to_the_next():
    fail(50, "key 1")
    fail()
    half_open()
    report(1, FAILURE, "key 1")
    assert is_closed("key 2")  # the probe of all is free again, and half-open: no longer closed to the others
    report(1, None, "key 2")
    assert all(is_closed("key 2") for _ in range(3))
