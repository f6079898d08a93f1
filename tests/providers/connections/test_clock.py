"""A machine whose clock is wrong leaves the rows of others alone."""

from __future__ import annotations

from time import time

import pytest

from arena import tasks
from arena.models import Generation
from config import health
from providers.cache import clear_process_caches
from providers.connections import clock
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[600, -600])
def wrong_clock(request, monkeypatch) -> int:
    clear_process_caches()
    monkeypatch.setattr(clock, "time", lambda: time() + request.param)
    return int(request.param)


def test_the_right_clock_is_trusted():
    assert abs(clock.ahead()) < clock.MAX_SECONDS
    assert clock.trouble() == ""


def test_a_slow_answer_proves_nothing(monkeypatch):
    """Twenty seconds pass between question and answer; the database's clock is somewhere between."""
    times = iter([time() - 10, time() + 10])
    monkeypatch.setattr(clock, "time", lambda: next(times))
    assert clock.ahead() == 0


@pytest.mark.django_db(transaction=True)  # a task gives its connection back
def test_a_wrong_one_is_named_and_claims_nothing(wrong_clock, caplog):
    row = make.make_generation()
    words = "ahead of" if wrong_clock > 0 else "behind"
    assert clock.trouble() == f"this machine's clock is 600 s {words} the database's"
    assert health.readiness()[1]["database"] == clock.trouble()
    tasks.dispatch()
    tasks.generate(row.pk)
    assert Generation.objects.values_list("status", "attempt", "dispatched_at").get(pk=row.pk) == ("queued", 0, None)
    assert [record.message for record in caplog.records if "600 s" in record.message] == [
        f"No task that compares times is run: {clock.trouble()}."
    ]
