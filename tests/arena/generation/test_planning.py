"""What is planned, due, cancelled or waiting; a task message is sent once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from arena import generation
from arena.generation import cost_estimates
from arena.models import Competition, Generation, Prompt
from providers.models import Call, ImageModel
from tests import factories as make
from tests.config.processes import eventually

from .rows import again, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def test_planning_twice_queues_once():
    prompt, models = make.make_prompt(), [make.make_model() for _ in range(3)]
    assert generation.plan(prompt, models) == 3
    assert generation.plan(prompt, models) == 0
    assert Generation.objects.count() == 3


def test_task_messages_are_sent_once_and_again_only_when_nobody_acted():
    row = queued()
    assert generation.take_due() == [row.pk]
    assert generation.take_due() == []
    Generation.objects.update(dispatched_at=timezone.now() - timedelta(minutes=1))
    assert generation.take_due() == [row.pk]
    generation.run(row.pk)
    Generation.objects.update(dispatched_at=None)
    assert generation.take_due() == []


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
