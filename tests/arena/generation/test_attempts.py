"""Making images over the real wire: claimed once, stored once, retried, failed with a reason, never lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from arena import generation
from arena.generation import attempts
from arena.models import Entry
from providers import routing
from providers.adapters.base import Account
from providers.models import Call
from providers.routing import offering_calls
from tests import factories as make

from .rows import again, due_now, end_lease, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


@pytest.mark.parametrize("provider", ["simulated-fal", "simulated-replicate", "simulated-openai"])
def test_a_generation_becomes_an_entry_over_every_wire(provider):
    row = queued(provider=provider)
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.error) == ("succeeded", "")
    entry = row.entry
    assert (entry.width, entry.height) == (1024, 768)
    assert (entry.prompt, entry.image_model) == (row.prompt, row.image_model)
    assert all(
        default_storage.exists(file.name) for file in (entry.image, entry.small, entry.thumbnail, entry.original)
    )
    assert (entry.call.outcome, entry.call.caller, entry.call.offering.provider) == ("ok", "arena", provider)
    assert entry.call.cost is not None
    assert entry.call.delivered_size


def test_running_again_changes_nothing():
    row = queued()
    generation.run(row.pk)
    generation.run(row.pk)
    assert Entry.objects.count() == Call.objects.count() == again(row).attempt == 1


def test_many_workers_on_one_row_make_one_image():
    row = queued("Snow [sim:slow=0.5]")
    barrier = threading.Barrier(8)

    def work(_):
        try:
            barrier.wait()
            generation.run(row.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert Entry.objects.count() == Call.objects.count() == 1
    assert again(row).status == "succeeded"


def test_a_passing_failure_is_retried_with_a_growing_pause(settings):
    settings.GENERATION_BACKOFF = 8
    row = queued("Snow [sim:500]")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.attempt, row.outcome) == ("queued", 1, "provider_error")
    assert row.error
    assert timedelta(seconds=5) < row.due_at - timezone.now() < timedelta(seconds=11)
    generation.run(row.pk)  # not due yet
    assert again(row).attempt == 1


def test_retries_end_with_the_reason():
    row = queued("Snow [sim:500]")
    for _ in range(10):
        generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.attempt) == ("failed", 4)
    assert row.error
    assert Call.objects.filter(outcome="provider_error").count() == 4
    assert not Entry.objects.exists()


def test_a_refusal_is_recorded_and_neither_retried_nor_sent_elsewhere():
    row = queued("Something rude [sim:policy]")
    make.make_offering(row.image_model, "simulated-openai", price=9)
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.attempt) == ("failed", "content_policy", 1)
    assert [call.outcome for call in Call.objects.all()] == ["content_policy"]


def test_a_failing_provider_gives_way_to_the_next_and_both_calls_are_recorded():
    row = queued("Snow [sim:500]", provider="simulated-replicate")  # before a job was made: nothing is billed
    make.make_offering(row.image_model, "simulated-openai", price=9)
    generation.run(row.pk)
    outcomes = list(Call.objects.order_by("pk").values_list("offering__provider", "outcome"))
    assert outcomes[0] == ("simulated-replicate", "provider_error")
    assert outcomes[1][0] == "simulated-openai"


def test_throttling_waits_as_long_as_the_provider_says():
    row = queued("Snow [sim:429=30]", provider="simulated-openai")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("queued", "rate_limited")
    assert row.due_at - timezone.now() > timedelta(seconds=25)


def test_without_a_reachable_offering_the_failure_says_what_to_do(settings):
    row = make.make_generation()
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("failed", "not_found")
    assert "Set the provider's key" in row.error


def test_a_row_that_kills_every_worker_is_given_up():
    row = queued()
    for _ in range(4):
        assert generation.claim(row.pk) is not None
        end_lease()
    assert generation.claim(row.pk) is None
    row.refresh_from_db()
    assert row.status == "failed"
    assert "died" in row.error


def test_a_failed_row_can_be_asked_again_and_keeps_its_fence():
    row = queued("Snow [sim:policy]")
    generation.run(row.pk)
    assert generation.retry_failed([again(row)]) == 1
    row.prompt.text = "Snow"
    row.prompt.save(update_fields=["text"])
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.attempt) == ("succeeded", 2)


def test_no_database_connection_is_held_while_the_provider_works(monkeypatch):
    row = queued("Snow [sim:slow=0.2]")
    held = []
    ask = offering_calls.ADAPTERS["fal"].generate

    def watching(*args, **kwargs):
        held.append(connection.connection is not None)
        return ask(*args, **kwargs)

    monkeypatch.setattr(offering_calls.ADAPTERS["fal"], "generate", watching, raising=False)
    generation.run(row.pk)
    assert held == [False]
    assert again(row).status == "succeeded"


def test_the_network_stays_outside_of_transactions():
    row = queued()
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        routing.generate(row.image_model, generation.request_for(row.prompt), "arena", time_limit=5)


def test_what_may_have_been_paid_for_twice_is_not_asked_a_third_time(settings, monkeypatch):
    monkeypatch.setattr(Account, "is_simulated", False)
    settings.GENERATION_CHARGED_BACKOFF = 420
    row = queued("Snow [sim:result-html]", provider="simulated-openai", price="0.04")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.charged_attempts) == ("queued", "bad_output", 1)
    assert row.due_at - timezone.now() > timedelta(minutes=5)  # a fault of five minutes has passed by then
    due_now(row)
    generation.run(row.pk)
    assert (again(row).status, row.charged_attempts, Call.objects.count()) == ("failed", 2, 2)
    assert generation.retry_failed([row]) == 1  # but a curator may
    assert (again(row).charged_attempts, row.attempts_left) == (0, 4)


def test_a_fault_that_charges_nothing_is_tried_for_ten_minutes(settings):
    settings.GENERATION_BACKOFF = 5
    pauses = [attempts._pause(attempt, charged=False, retry_after=None) for attempt in range(1, 8)]
    assert timedelta(minutes=7) < sum(pauses, timedelta()) < timedelta(minutes=14)
    assert max(pauses) < timedelta(minutes=7)


def test_a_second_attempt_is_given_more_time(settings):
    settings.GENERATION_TIME_LIMIT, settings.GENERATION_LEASE_GRACE = 100, 7
    row = queued()
    leases = []
    for _ in range(4):
        claimed = generation.claim(row.pk)
        leases.append(round((claimed.lease_expires_at - timezone.now()).total_seconds()))
        end_lease()
    assert leases == pytest.approx([107, 207, 307, 307], abs=5)


def test_a_lease_covers_every_offering_that_may_be_asked(settings):
    settings.GENERATION_TIME_LIMIT, settings.GENERATION_LEASE_GRACE = 100, 7
    row = queued()
    make.make_offering(row.image_model, "simulated-openai", price=9)
    claimed = generation.claim(row.pk)
    assert (claimed.lease_expires_at - timezone.now()).total_seconds() == pytest.approx(207, abs=5)
