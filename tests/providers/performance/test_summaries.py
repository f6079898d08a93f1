"""What pages read about speed and reliability: the same figures as counted live, with the time they were counted at."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from providers.models import Call, CallSummary, Offering
from providers.performance import percentiles, summaries
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db


def calls(offering: Offering, *seconds: float, days_ago: float = 0, **fields) -> None:
    for duration in seconds:
        at = timezone.now() - timedelta(days=days_ago)
        make.make_call(offering, duration=timedelta(seconds=duration), started_at=at, **fields)


def fill() -> list[Offering]:
    """Two models at two providers, with calls of all kinds over five weeks."""
    dice = random.Random(5)
    models = [make.make_model(), make.make_model()]
    offerings = [make.make_offering(model, key) for model in models for key in ("simulated-fal", "simulated-openai")]
    for offering in offerings:
        for number in range(60):
            outcome = dice.choice(["ok", "ok", "ok", "timeout", "content_policy"])
            ttfb = timedelta(seconds=0.1) if number % 2 and outcome == "ok" else None
            calls(
                offering, dice.lognormvariate(1, 0.5) + 0.1, days_ago=35 * dice.random(), ttfb=ttfb, outcome=outcome,
                error="" if outcome == "ok" else "so it went", n=1 + number % 3 // 2,
            )  # fmt: skip
    return offerings


def but_for_the_time(performance: percentiles.Performance):
    return performance.duration, performance.ttfb, performance.calls, performance.judged, performance.success_rate


def test_what_is_stored_is_what_live_counting_finds(django_assert_num_queries):
    offerings = fill()
    assert summaries.compute()
    live = percentiles.of_offerings(offering.pk for offering in offerings)
    with django_assert_num_queries(1):
        stored = summaries.of_offerings(offering.pk for offering in offerings)
    assert {pk: but_for_the_time(performance) for pk, performance in stored.items()} == {
        pk: but_for_the_time(performance) for pk, performance in live.items()
    }
    assert all(performance.as_of for performance in stored.values())


def test_a_provider_is_more_than_the_mean_of_its_offerings(django_assert_num_queries):
    """Percentiles of the whole are computed over all calls, not from those of the parts."""
    quick = make.make_offering(provider="simulated-fal")
    slow = make.make_offering(provider="simulated-fal")
    calls(quick, *[1.0] * 15)
    calls(slow, *[9.0] * 5)
    summaries.compute()
    with django_assert_num_queries(1):
        overall, _ = summaries.of_provider("simulated-fal")
    assert overall.duration.p50 == timedelta(seconds=1)
    assert overall.duration.p95 == timedelta(seconds=9)


def daily(offering) -> tuple[summaries.DayPerformance, ...]:
    return summaries.of_offerings_and_days([offering.pk])[1][offering.pk]


def test_a_month_of_days_with_the_empty_ones(django_assert_num_queries):
    offering = make.make_offering()
    calls(offering, *[2.0] * 6)
    calls(offering, *[4.0] * 20, days_ago=3)
    calls(offering, 1, days_ago=3, outcome="timeout", error="late")
    calls(offering, 1, days_ago=31)
    summaries.compute()
    with django_assert_num_queries(1):
        days = daily(offering)
    assert len(days) == summaries.DAYS
    busy = {30 - number: day.performance for number, day in enumerate(days, 1) if day.performance.calls}
    assert {ago: summary.duration.p50 for ago, summary in busy.items()} == {
        3: timedelta(seconds=4),
        0: timedelta(seconds=2),
    }
    assert days[-4].performance.success_rate == 20 / 21
    assert days == summaries.of_provider(offering.provider)[1]


def test_a_day_that_is_over_stands_and_the_days_since_are_counted_again():
    offering = make.make_offering()
    for days_ago in (9, 5, 1, 0):
        calls(offering, 1, days_ago=days_ago)
    summaries.compute()
    stood = CallSummary.objects.get(scope="offering", day=(timezone.now() - timedelta(days=9)).date())
    Call.objects.all().update(n=2)  # a fact cannot change; this only shows what is looked at again
    summaries.compute()
    timed = [day.performance.duration.samples for day in daily(offering)]
    assert (timed[-10], timed[-6], timed[-1]) == (1, 1, 0)
    assert CallSummary.objects.get(pk=stood.pk).as_of == stood.as_of


def test_after_a_pause_of_days_none_is_missing():
    """As after a week with the workers switched off: what was counted at noon is counted to its end."""
    offering = make.make_offering()
    calls(offering, 1, 1, days_ago=6)
    summaries.compute()
    noon = datetime.combine((timezone.now() - timedelta(days=6)).date(), datetime.min.time(), UTC)
    CallSummary.objects.update(as_of=noon, succeeded=1)
    calls(offering, 1, days_ago=2)
    summaries.compute()
    counts = [day.performance.succeeded for day in daily(offering)]
    assert (counts[-7], counts[-3]) == (2, 1)


def test_counting_pauses_in_proportion_to_what_it_costs(monkeypatch):
    cache.delete(summaries._PAUSING)
    rests = []
    monkeypatch.setattr(cache, "set", lambda key, value, timeout: rests.append(timeout))
    clock = iter([0.0, 0.01, 10.0, 13.0, 20.0, 99.0])
    monkeypatch.setattr(summaries, "monotonic", lambda: next(clock))
    assert [summaries.refresh() for _ in range(3)] == [True] * 3
    assert rests == [summaries.MIN_PAUSE, 300, summaries.MAX_PAUSE]


def test_a_count_too_soon_is_left_out():
    cache.set(summaries._PAUSING, True, 30)
    assert not summaries.refresh()
    cache.delete(summaries._PAUSING)


@pytest.mark.django_db(transaction=True)
def test_only_one_process_counts_at_a_time():
    make.make_call()
    results = []

    def other() -> None:
        results.append(summaries.compute())
        connection.close()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [summaries._LOCK])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [summaries._LOCK])
    assert results == [False]
    assert summaries.compute()


def test_postgres_refuses_summaries_that_cannot_be():
    make.make_call()
    summaries.compute()
    row = CallSummary.objects.filter(scope="offering", day=None).get()
    refuses("scope is known", update(row, scope="galaxy"))
    refuses("no more requests succeed than are made", update(row, requests_succeeded=9))
    refuses("one summary per subject and day", lambda: CallSummary.objects.create(
        scope="offering", key=row.key, as_of=timezone.now()
    ))  # fmt: skip


def test_before_the_first_count_there_is_nothing_and_it_says_so():
    offering = make.make_offering()
    calls(offering, 1)
    overall, days = summaries.of_provider(offering.provider)
    assert (overall.calls, overall.as_of, len(days)) == (0, None, summaries.DAYS)
