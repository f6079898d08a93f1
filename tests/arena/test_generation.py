"""Making images over the real wire: claimed once, stored once, retried, failed with a reason, never lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from arena import cost_estimates, generation
from arena.models import Entry, Generation
from providers import routing
from providers.models import Call
from providers.routing import sending
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings, simulated):
    settings.GENERATION_BACKOFF = 0


def queued(
    text: str = "A red kite over dunes", provider: str = "simulated-fal", shape: str = "4:3", **offering
) -> Generation:
    """One generation whose model is offered by `provider` alone."""
    model = make.make_model()
    prompt = make.make_prompt(make.make_competition(shape=shape), text)
    make.make_offering(model, provider, endpoint=f"studio/{model.slug}", **offering)
    return make.make_generation(prompt, model)


def again(row: Generation) -> Generation:
    row.refresh_from_db()
    return row


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


def test_planning_twice_queues_once():
    prompt, models = make.make_prompt(), [make.make_model() for _ in range(3)]
    assert generation.plan(prompt, models) == 3
    assert generation.plan(prompt, models) == 0
    assert Generation.objects.count() == 3


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


def test_a_failing_provider_gives_way_to_the_next_and_both_calls_are_kept():
    row = queued("Snow [sim:failed=out of luck]", provider="simulated-replicate")
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


def test_a_dead_workers_row_is_due_when_its_lease_ends_and_a_late_answer_is_thrown_away():
    row = queued()
    ours = generation.claim(row.pk)
    assert ours is not None
    assert generation.claim(row.pk) is None
    Generation.objects.update(
        started_at=timezone.now() - timedelta(hours=1), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    generation.run(row.pk)
    assert again(row).status == "succeeded"
    files = _files()
    generated = routing.generate(ours.image_model, generation.request_for(ours.prompt), "arena", time_limit=20)
    late = generation.images.normalise(make.picture("late"), "4:3")
    assert generation.store(ours, generated, late) is None
    assert Entry.objects.count() == 1
    assert _files() == files


def test_a_row_that_kills_every_worker_is_given_up():
    row = queued()
    for _ in range(4):
        assert generation.claim(row.pk) is not None
        _end_lease()
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


def test_hints_are_sent_once_and_again_only_when_nobody_acted():
    row = queued()
    assert generation.take_due() == [row.pk]
    assert generation.take_due() == []
    Generation.objects.update(dispatched_at=timezone.now() - timedelta(minutes=1))
    assert generation.take_due() == [row.pk]
    generation.run(row.pk)
    Generation.objects.update(dispatched_at=None)
    assert generation.take_due() == []


def test_no_database_connection_is_held_while_the_provider_works(monkeypatch):
    row = queued("Snow [sim:slow=0.2]")
    held = []
    ask = sending.ADAPTERS["fal"].generate

    def watching(*args, **kwargs):
        held.append(connection.connection is not None)
        return ask(*args, **kwargs)

    monkeypatch.setattr(sending.ADAPTERS["fal"], "generate", watching, raising=False)
    generation.run(row.pk)
    assert held == [False]
    assert again(row).status == "succeeded"


def test_the_network_stays_outside_of_transactions():
    row = queued()
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        routing.generate(row.image_model, generation.request_for(row.prompt), "arena", time_limit=5)


def test_bytes_that_are_no_image_fail_with_the_reason():
    row = queued("Snow [sim:result-html]")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("failed", "bad_output")
    assert not Entry.objects.exists()


def test_a_quote_says_what_asking_costs_before_it_is_asked():
    row = queued()
    make.make_prompt(row.prompt.competition)
    priced = make.make_model()
    make.make_offering(priced, "simulated-openai", price="0.04")
    unknown = make.make_model()
    make.make_offering(unknown, "simulated-openai", price=None)
    offers = {quote.image_model: quote for quote in cost_estimates.of(row.prompt.competition)}
    assert (offers[row.image_model].missing, offers[priced].missing) == (1, 2)
    assert float(offers[priced].cost) == pytest.approx(0.08)
    assert offers[unknown].cost is None


def _end_lease() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.update(started_at=past - timedelta(hours=1), lease_expires_at=past)


def _files() -> set[str]:
    return {
        f"{folder}/{name}"
        for folder in ("battle", "originals", "public")
        for name in default_storage.listdir(folder)[1]
    }
