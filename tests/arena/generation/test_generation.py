"""Making images over the real wire: claimed once, stored once, retried, failed with a reason, never lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from arena import generation, images
from arena.generation import attempts, cost_estimates
from arena.models import Competition, Entry, Generation, Prompt, SpooledImage
from providers import cache, routing
from providers.adapters.base import Account
from providers.files import file_store
from providers.models import Call, ImageModel
from providers.routing import sending
from tests import factories as make
from tests.config.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings, simulated):
    settings.GENERATION_BACKOFF = settings.GENERATION_CHARGED_BACKOFF = 0
    settings.GENERATION_ATTEMPTS = 4


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
    late = images.normalise(make.picture("late"), "4:3")
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


def test_task_messages_are_sent_once_and_again_only_when_nobody_acted():
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
    for _ in range(8):
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


# Bought once ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def due_now(row: Generation) -> None:
    """What waits for its time waits no longer, and a store that was mended is probed again."""
    Generation.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    cache.clear_process_caches()


def in_the_way(settings, folder: str) -> Path:
    """A file where the store wants a folder: nothing can be written there, root or not."""
    path = Path(settings.MEDIA_ROOT) / folder
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_what_was_paid_for_waits_in_the_database_until_it_can_be_stored(settings):
    row = queued()
    blocked = in_the_way(settings, "originals")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.finished_at) == ("storing", "store", None)
    assert "Not stored yet" in row.error
    assert not any(default_storage.listdir(folder)[1] for folder in ("battle", "public"))  # all of them or none
    due_now(row)
    generation.run(row.pk)
    assert again(row).status == "storing"
    blocked.unlink()
    due_now(row)
    assert generation.take_due() == [row.pk]
    generation.run(row.pk)
    assert (again(row).status, row.error, row.attempt) == ("succeeded", "", 1)
    assert row.entry.call == Call.objects.get()  # the provider was asked once
    assert not SpooledImage.objects.exists()
    assert row.spent == 0
    with row.entry.original.open("rb") as file:
        assert images.extension(file.read()) in ("png", "jpg", "webp")


def test_nobody_is_asked_while_files_cannot_be_stored(settings):
    row = queued()
    blocked = in_the_way(settings, "probe")
    cache.clear_process_caches()
    assert "Error" in file_store.trouble()
    assert generation.take_due() == []
    generation.run(row.pk)
    assert (again(row).status, row.attempt, Call.objects.count()) == ("queued", 0, 0)
    blocked.unlink()
    due_now(row)
    assert file_store.trouble() == ""
    assert generation.take_due() == [row.pk]


def test_an_internal_error_after_the_purchase_throws_nothing_away(monkeypatch):
    row = queued()
    with monkeypatch.context() as patch:
        patch.setattr(images, "normalise", lambda *_: 1 / 0)
        generation.run(row.pk)
    assert (again(row).status, Call.objects.count()) == ("storing", 1)
    due_now(row)
    generation.run(row.pk)
    assert (again(row).status, Call.objects.count()) == ("succeeded", 1)


@pytest.mark.parametrize(
    ("retire", "reason"),
    [
        (lambda: Prompt.objects.update(retired_at=timezone.now()), "The prompt was retired"),
        (lambda: ImageModel.objects.update(retired_at=timezone.now()), "The model was retired"),
        (lambda: Competition.objects.update(closes_at=timezone.now()), "The competition closed"),
    ],
)
def test_what_was_retired_while_it_waited_is_cancelled_and_can_be_planned_again(retire, reason):
    row = queued()
    retire()
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.started_at, Call.objects.count()) == ("cancelled", None, 0)
    assert reason in row.error
    Prompt.objects.update(retired_at=None)
    ImageModel.objects.update(retired_at=None)
    Competition.objects.update(closes_at=None)
    assert generation.plan(row.prompt, [row.image_model]) == 1
    assert generation.plan(row.prompt, [row.image_model]) == 0
    generation.run(row.pk)
    assert again(row).status == "succeeded"


def test_a_paused_competition_waits_until_it_goes_on():
    row = queued()
    Competition.objects.update(paused_at=timezone.now())
    assert generation.take_due() == []
    generation.run(row.pk)
    assert (again(row).status, row.attempt) == ("queued", 0)
    Competition.objects.update(paused_at=None)
    assert generation.take_due() == [row.pk]


def test_what_a_worker_takes_while_its_competition_is_called_off_goes_on():
    row = queued()
    rows = Generation.objects.of_competition(row.prompt.competition)

    def call_off():
        try:
            return generation.cancel(rows, "Called off by ann.")
        finally:
            connection.close()

    def waits_for_the_row():
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return cursor.fetchone()[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Generation.objects.filter(pk=row.pk).to_running(timezone.now() + timedelta(minutes=1), attempt=1)
            cancelled = pool.submit(call_off)
            eventually(waits_for_the_row, seconds=60)
        assert cancelled.result(60) == 0
    assert again(row).status == "running"


def test_only_what_is_queued_can_be_cancelled():
    waiting, running = queued(), queued()
    generation.claim(running.pk)
    assert generation.cancel(Generation.objects.all(), "Called off by ann.") == 1
    assert (again(waiting).status, waiting.error, again(running).status) == (
        "cancelled",
        "Called off by ann.",
        "running",
    )


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
        _end_lease()
    assert leases == pytest.approx([107, 207, 307, 307], abs=5)


def test_a_lease_covers_every_offering_that_may_be_asked(settings):
    settings.GENERATION_TIME_LIMIT, settings.GENERATION_LEASE_GRACE = 100, 7
    row = queued()
    make.make_offering(row.image_model, "simulated-openai", price=9)
    claimed = generation.claim(row.pk)
    assert (claimed.lease_expires_at - timezone.now()).total_seconds() == pytest.approx(207, abs=5)


def _end_lease() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.update(started_at=past - timedelta(hours=1), lease_expires_at=past)


def _files() -> set[str]:
    return {
        f"{folder}/{name}"
        for folder in ("battle", "originals", "public")
        for name in default_storage.listdir(folder)[1]
    }


def test_an_entry_of_the_factories_is_as_a_worker_leaves_it():
    """Row by row: what differs is who, when and which file."""
    differing = {"id", "prompt_id", "image_model_id", "generation_id", "call_id", "offering_id", "image", "small"}
    differing |= {"thumbnail", "original", "request_id", "due_at", "started_at", "finished_at", "created_at"}
    entries = make.store_by_worker(make.make_generation()), make.make_entry()
    for rows in (entries, [entry.generation for entry in entries], [entry.call for entry in entries]):
        worker, factory = (values_of(row, differing) for row in rows)
        assert worker == factory
    for entry in entries:
        assert all(
            default_storage.exists(file.name) for file in (entry.image, entry.small, entry.thumbnail, entry.original)
        )


def values_of(row, differing):
    row.refresh_from_db()
    return {key: value for key, value in vars(row).items() if key not in differing and not key.startswith("_")}
