"""Times and success rates over recent calls: what is counted, what is left out, what is shown from how few samples."""

from __future__ import annotations

import statistics
from datetime import timedelta

import pytest
from django.utils import timezone

from providers.errors import OUTCOMES
from providers.models import Call
from providers.performance import percentiles
from tests import factories as make

pytestmark = pytest.mark.django_db


def calls(offering, *seconds: float, **fields) -> None:
    for duration in seconds:
        make.make_call(offering, duration=timedelta(seconds=duration), **fields)


def of(offering) -> percentiles.Performance:
    return percentiles.of_offerings([offering.pk])[offering.pk]


def test_percentiles_are_those_of_the_successful_calls_interpolated_linearly():
    offering = make.make_offering()
    seconds = [0.3 * n**1.7 for n in range(1, 41)]
    calls(offering, *seconds)
    calls(offering, 500, outcome="timeout", error="too late")
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    performance = of(offering).duration
    assert performance.samples == 40
    assert performance.p50.total_seconds() == pytest.approx(cuts[49], abs=1e-5)
    assert performance.p95.total_seconds() == pytest.approx(cuts[94], abs=1e-5)


@pytest.mark.parametrize(
    ("samples", "p50", "p95"), [(4, False, False), (5, True, False), (19, True, False), (20, True, True)]
)
def test_percentiles_are_shown_from_five_and_twenty_samples(samples, p50, p95):
    offering = make.make_offering()
    calls(offering, *[1.0] * samples)
    performance = of(offering).duration
    assert (performance.p50 is not None, performance.p95 is not None) == (p50, p95)


def test_only_the_providers_own_faults_count_against_its_success_rate():
    offering = make.make_offering()
    for outcome in OUTCOMES:
        make.make_call(offering, outcome=outcome, error="" if outcome == "ok" else "so it went")
    calls(offering, 1, 1, 1)
    performance = of(offering)
    assert (performance.succeeded, performance.failed, performance.judged) == (4, 4, 8)
    assert performance.success_rate == 0.5
    assert (performance.refused, performance.rate_limited, performance.account_errors) == (1, 1, 3)
    assert (performance.bad_requests, performance.cancelled) == (2, 1)
    assert performance.calls == Call.objects.count()


def test_time_to_first_byte_is_shown_where_every_timed_call_has_one():
    """Else it is the time of the quick ones, which were answered before they had to be polled."""
    offering = make.make_offering()
    calls(offering, *[3.0] * 5, ttfb=timedelta(seconds=2))
    performance = of(offering)
    assert (performance.ttfb.samples, performance.ttfb.p50, performance.ttfb.p95) == (5, timedelta(seconds=2), None)
    calls(offering, 9.0)
    performance = of(offering)
    assert (performance.ttfb.samples, performance.ttfb.p50, performance.duration.samples) == (5, None, 6)


def test_the_providers_own_time_stands_beside_ours():
    offering = make.make_offering()
    calls(offering, *[3.0] * 4, provider_time=timedelta(seconds=1))
    assert of(offering).provider_time.p50 is None
    calls(offering, 3.0, provider_time=timedelta(seconds=1))
    calls(offering, 4.0)
    performance = of(offering)
    assert (performance.provider_time.samples, performance.provider_time.p50) == (5, timedelta(seconds=1))


def test_calls_older_than_the_window_are_forgotten():
    offering = make.make_offering()
    calls(offering, 1, started_at=timezone.now() - timedelta(days=30, minutes=1))
    calls(offering, 1, started_at=timezone.now() - timedelta(days=29, hours=23))
    assert of(offering).calls == 1
    assert percentiles.of_offerings([offering.pk], timedelta(days=1))[offering.pk] == percentiles.Performance()


def test_an_offering_without_calls_has_nothing_to_say():
    performance = of(make.make_offering())
    assert (performance.calls, performance.success_rate, performance.duration.p50) == (0, None, None)


def test_calls_for_several_images_say_nothing_about_the_time_of_one():
    offering = make.make_offering()
    calls(offering, *[2.0] * 5)
    calls(offering, *[20.0] * 5, n=4)
    performance = of(offering)
    assert (performance.duration.samples, performance.duration.p50, performance.succeeded) == (
        5,
        timedelta(seconds=2),
        10,
    )


def test_many_offerings_take_one_query(django_assert_num_queries):
    offerings = [make.make_offering(), make.make_offering(provider="simulated-fal")]
    for offering in offerings:
        calls(offering, 1, 2)
    with django_assert_num_queries(1):
        performance = percentiles.of_offerings([offering.pk for offering in offerings])
    assert [performance[offering.pk].succeeded for offering in offerings] == [2, 2]


def test_operators_read_it_on_the_offerings_page(admin_client):
    offering = make.make_offering()
    calls(offering, *[2.0] * 20)
    calls(offering, 1, outcome="content_policy", error="no")
    page = admin_client.get(f"/admin/providers/offering/{offering.pk}/change/").content.decode()
    assert "20 of 20 calls succeeded, p50 2.0 s, p95 2.0 s, 1 refused" in page
