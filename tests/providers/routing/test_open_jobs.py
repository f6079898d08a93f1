"""A job that a provider has accepted is awaited by the next worker, and not bought a second time."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from providers import routing
from providers.adapters import wire
from providers.adapters.base import Account
from providers.connections.database import connection_released
from providers.errors import AnswerLost, ProviderError, TimedOut
from providers.models import Call, ProviderJob, Reservation
from providers.models.jobs import LIFETIME, MAX_TAKEOVERS
from providers.performance import percentiles
from providers.request import ImageRequest
from providers.routing import open_jobs
from providers.spending import daily_cap
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.config.processes import eventually
from tests.providers.killed import SECONDS, expire_leases, submit_and_die
from tests.providers.spending.days import close_expired

from .test_generate import PARAMETERS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulated")]
REQUEST = ImageRequest(prompt="A red kite", size="64x64")
POLLED = ("fal", "replicate", "bfl")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(wire, "FAILED_PAUSE", 0.02)


@pytest.fixture
def _billed(monkeypatch):
    """The simulator stands for providers that take real money."""
    monkeypatch.setattr(Account, "is_simulated", False)


def offering_of(wire_format: str, **fields):
    model = make.make_model()
    fields = {
        "endpoint": f"studio/{model.slug}",
        "price": Decimal("0.01"),
        "parameters": PARAMETERS[wire_format],
    } | fields
    return make.make_offering(model, f"simulated-{wire_format}", **fields)


@connection_released()
def ask(offering, request_id: uuid.UUID, prompt: str = REQUEST.prompt, caller="arena", **options):
    request = replace(REQUEST, prompt=prompt)
    options = {"time_limit": SECONDS, "is_resumable": True} | options
    return routing.generate(offering.image_model, request, caller, request_id=request_id, **options)


def bought(simulator, offering) -> int:
    """Jobs that the provider has accepted: what it bills."""
    pages = simulator.journal()[offering.provider.removeprefix("simulated-")]
    return int(pages[offering.endpoint]["created"])


@pytest.mark.parametrize("wire_format", POLLED)
def test_the_image_of_a_worker_that_died_comes_from_the_job_that_it_had_submitted(simulator, wire_format):
    offering = offering_of(wire_format)
    request_id = submit_and_die(offering)
    generated = ask(offering, request_id)
    assert (generated.image.width, generated.image.height) == (64, 64)
    assert bought(simulator, offering) == 1
    call = Call.objects.get()
    assert (call.outcome, call.request_id, call.ends_request) == ("ok", request_id, True)
    assert generated.call == call


@pytest.mark.parametrize("wire_format", POLLED)
def test_what_is_stored_of_a_job_holds_no_key(settings, simulator, wire_format):
    key = "wonderfully-secret-key"
    settings.PROVIDERS = {name: config | {"api_key": key} for name, config in settings.PROVIDERS.items()}
    submit_and_die(offering_of(wire_format))
    job = ProviderJob.objects.get()
    assert all(url.startswith(simulator.url) for name, url in job.ticket.items() if name not in ("id", "cost"))
    assert key not in str(job.ticket)


def test_a_ticket_with_a_key_in_it_is_not_stored(settings, simulator):
    offering = offering_of("fal", endpoint="studio/wonderfully-secret-key")
    settings.PROVIDERS = {
        name: config | {"api_key": "wonderfully-secret-key"} for name, config in settings.PROVIDERS.items()
    }
    request_id = uuid.uuid4()
    assert ask(offering, request_id).images
    assert not ProviderJob.objects.exists()


def test_a_job_that_was_taken_up_is_no_measurement_of_speed():
    offering = offering_of("fal")
    ask(offering, submit_and_die(offering))
    performance = percentiles.of_offerings([offering.pk], timedelta(days=1))[offering.pk]
    assert (performance.succeeded, performance.duration.samples) == (1, 0)


@pytest.mark.usefixtures("_billed")
def test_a_job_that_was_taken_up_is_paid_for_once(monkeypatch):
    offering = offering_of("fal")
    request_id = submit_and_die(offering)
    assert close_expired(monkeypatch) == 0  # its job may still be taken up
    generated = ask(offering, request_id)
    assert not Reservation.objects.exists()
    assert generated.spent == Call.objects.get().spent > 0
    assert daily_cap.recount(timezone.now().date()) == 0


@pytest.mark.usefixtures("_billed")
def test_what_nobody_takes_up_is_counted_as_possibly_charged():
    request_id = submit_and_die(offering_of("fal"))
    late = timezone.now() - LIFETIME
    ProviderJob.objects.update(submitted_at=late)
    Reservation.objects.update(made_at=late, expires_at=late + timedelta(minutes=1))
    assert not open_jobs.exist(request_id)
    assert daily_cap.close_dead() == 1
    assert Call.objects.get().possibly_charged
    open_jobs.prune()
    assert not ProviderJob.objects.exists()


def test_an_image_lost_between_its_call_and_its_file_is_fetched_again(simulator):
    offering = offering_of("replicate")
    request_id = uuid.uuid4()
    first = ask(offering, request_id)
    again = ask(offering, request_id)  # the worker died before it was stored
    assert (again.image.data, bought(simulator, offering)) == (first.image.data, 1)
    assert again.call == first.call == Call.objects.get()
    open_jobs.forget(request_id)
    ask(offering, uuid.uuid4())
    assert bought(simulator, offering) == 2


@pytest.mark.parametrize("wire_format", POLLED)
def test_a_job_that_the_provider_does_not_know_may_have_been_charged_and_is_given_up(simulator, wire_format):
    offering = offering_of(wire_format)
    request_id = submit_and_die(offering)
    job = ProviderJob.objects.get()
    unknown = str(uuid.uuid4())
    known = job.ticket.get("id") or job.ticket["get"].rpartition("/")[2]
    job.ticket = {name: value.replace(known, unknown) for name, value in job.ticket.items()}
    job.save(update_fields=["ticket"])
    with pytest.raises(AnswerLost) as caught:
        ask(offering, request_id)
    assert caught.value.possibly_charged
    assert bought(simulator, offering) == 1
    assert not open_jobs.exist(request_id)  # now it may be asked again


@pytest.mark.parametrize("wire_format", POLLED)
def test_a_job_that_the_provider_has_lost_meanwhile_is_a_fault_that_passes(wire_format):
    with pytest.raises(AnswerLost) as caught:
        ask(offering_of(wire_format), uuid.uuid4(), "Snow [sim:task-not-found] [sim:no-wait]")
    assert caught.value.possibly_charged
    assert not ProviderJob.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {
            "ticket": {
                "status_url": "https://192.0.2.1/a",
                "response_url": "https://192.0.2.1/b",
                "cancel_url": "",
                "id": "",
            }
        },
        {"ticket": {"status_url": "http://127.0.0.1:1/a", "response_url": "", "cancel_url": "", "id": ""}},
        {"ticket": {}},
        {"adapter": "openai"},
    ],
)
def test_nothing_is_asked_of_a_url_that_is_not_the_accounts_nor_by_another_adapter(simulator, change):
    offering = offering_of("fal")
    request_id = submit_and_die(offering)
    ProviderJob.objects.update(**change)
    with pytest.raises(ProviderError) as caught:
        ask(offering, request_id)
    assert caught.value.possibly_charged
    assert bought(simulator, offering) == 1


def test_a_job_of_a_provider_that_is_not_configured_any_more_is_given_up(settings):
    offering = offering_of("fal")
    request_id = submit_and_die(offering)
    settings.PROVIDERS = {key: config for key, config in settings.PROVIDERS.items() if key != "simulated-fal"}
    with pytest.raises(AnswerLost):
        ask(offering, request_id)


def test_a_job_of_an_offering_that_was_closed_meanwhile_is_fetched(simulator):
    offering = offering_of("bfl")
    request_id = submit_and_die(offering)
    type(offering).objects.update(is_active=False)
    assert ask(offering, request_id).images
    assert bought(simulator, offering) == 1


@pytest.mark.usefixtures("_billed")
def test_after_an_outage_of_the_provider_the_same_job_is_asked_for_and_its_call_is_one(simulator):
    offering = offering_of("bfl")
    request_id = uuid.uuid4()
    with pytest.raises(AnswerLost) as lost:
        ask(offering, request_id, f"Snow [sim:poll-503={wire.MAX_FAILED_POLLS}]")
    assert lost.value.possibly_charged
    assert open_jobs.exist(request_id)
    generated = ask(offering, request_id)
    assert bought(simulator, offering) == 1
    call = Call.objects.get()
    assert (call.outcome, call.error, call.detail, call.possibly_charged) == ("ok", "", "", False)
    assert lost.value.spent + generated.spent == call.spent
    assert daily_cap.recount(timezone.now().date()) == 0


def test_an_image_waits_in_memory_while_its_call_cannot_be_recorded(simulator, caplog, monkeypatch):
    offering = offering_of("fal")
    settings = connection.settings_dict
    server = {"host": settings["HOST"], "port": settings["PORT"] or None, "user": settings["USER"]}
    monkeypatch.setitem(settings["OPTIONS"], "options", "-c lock_timeout=200ms")
    with psycopg.connect(dbname=settings["NAME"], **server) as other, ThreadPoolExecutor(1) as pool:
        other.execute("LOCK TABLE providers_call IN EXCLUSIVE MODE")
        answer = pool.submit(ask, offering, uuid.uuid4())
        eventually(lambda: "are not recorded yet" in caplog.text)
        other.rollback()
        assert answer.result().images
    assert bought(simulator, offering) == Call.objects.count() == 1


def test_a_job_that_the_provider_agreed_to_cancel_is_not_asked_for_again():
    offering = offering_of("fal")
    request_id = uuid.uuid4()
    with pytest.raises(TimedOut):
        ask(offering, request_id, "Snow [sim:slow=30]", time_limit=0.5)
    assert not ProviderJob.objects.exists()


def test_a_job_whose_image_kills_every_worker_is_given_up_one_day():
    request_id = submit_and_die(offering_of("fal"))
    ProviderJob.objects.update(takeovers=MAX_TAKEOVERS)
    assert not open_jobs.exist(request_id)


def test_two_workers_never_take_over_the_same_request():
    request_id = submit_and_die(offering_of("fal"))
    assert not open_jobs.take_over(request_id, SECONDS)  # the worker that submitted it may be alive
    assert not open_jobs.orphans()
    expire_leases()
    assert open_jobs.orphans() == {request_id}
    assert [open_jobs.take_over(request_id, SECONDS) for _ in range(2)] == [True, False]


def test_callers_whose_client_waits_record_nothing():
    offering = offering_of("fal")
    ask(offering, uuid.uuid4(), caller="gateway", is_resumable=False)
    assert not ProviderJob.objects.exists()


def test_postgres_refuses_jobs_that_cannot_be():
    submit_and_die(offering_of("fal"))
    job = ProviderJob.objects.get()
    refuses("a job makes an image, and counts", update(job, n=0))
    refuses("a job is awaited for a while", update(job, lease_expires_at=job.submitted_at))
    job.pk = None
    refuses("a call submits one job", job.save)
