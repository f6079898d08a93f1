"""Asynchronous requests: queued, run by a worker once, cancelled, and forgotten."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from providers.gateway import job_webhooks, jobs, signed_files
from providers.models import ApiKey, Call, GatewayRequest, JobWebhook, Offering, ProviderJob, QueuedRequest
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.config.processes import eventually
from tests.providers.killed import expire_leases, submit_and_die
from tests.providers.routing.test_generate import PARAMETERS
from tests.webhook_receiver import is_signed, receiving

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def headers(simulated):
    offered("sample-one")
    _, secret = ApiKey.make("async", monthly_budget=1)
    return {"Authorization": f"Bearer {secret}", "Prefer": "respond-async, wait=1"}


def submit(headers, **fields):
    fields = {"model": "sample-one", "prompt": "A kite", "size": "64x64"} | fields
    return Client().post("/openai/v1/images/generations", fields, "application/json", headers=headers)


def poll(response, headers, method="get"):
    return getattr(Client(), method)(response["Location"].removeprefix("http://testserver"), headers=headers).json()


def test_a_job_is_accepted_at_once_run_once_and_found_at_its_url(headers):
    response = submit(headers, n=2, provider={"max_price": 0.5, "only": ["simulated-openai"]}, seed=7)
    assert (response.status_code, response["Preference-Applied"]) == (202, "respond-async")
    assert response.json()["status"] == "queued"
    assert not Call.objects.exists()
    (pk,) = jobs.take_due()
    assert jobs.take_due() == []
    jobs.run(pk)
    jobs.run(pk)
    job = poll(response, headers)
    assert (job["status"], len(job["response"]["data"])) == ("completed", 2)
    image = Client().get(job["response"]["data"][0]["url"].removeprefix("http://testserver"))
    assert image["Content-Type"] == "image/png"
    assert job["response"]["data"][0]["seed"] == 7
    assert not QueuedRequest.objects.exists()  # what was requested is not stored any more
    assert GatewayRequest.objects.get().cost


def test_a_job_with_sources_deletes_them_when_it_has_ended(headers):
    form = {"model": "sample-one", "prompt": "A kite", "image": SimpleUploadedFile("a", make.picture("a", 64, 64))}
    response = Client().post("/openai/v1/images/edits", form, headers=headers)
    (name,) = QueuedRequest.objects.get().sources
    jobs.run(*jobs.take_due())
    assert poll(response, headers)["status"] == "completed"
    assert not default_storage.exists(name)


def test_a_failed_job_has_its_error_and_a_stranger_no_job(headers):
    response = submit(headers, prompt="A kite [sim:policy]")
    jobs.run(*jobs.take_due())
    job = poll(response, headers)
    assert (job["status"], job["error"]["code"]) == ("failed", "moderation_blocked")
    _, secret = ApiKey.make("stranger")
    assert poll(response, {"Authorization": f"Bearer {secret}"})["error"]["code"] == "job_not_found"


def test_a_queued_job_is_cancelled_at_once_and_frees_its_reservation(headers):
    response = submit(headers)
    assert poll(response, headers, "delete")["status"] == "cancelled"
    assert jobs.take_due() == []
    key = Client().get("/openai/v1/key", headers=headers).json()
    assert key["month"]["spent"] == 0


def test_a_running_job_is_cancelled_at_the_provider(headers, simulator, monkeypatch):
    monkeypatch.setattr(jobs, "CHECK_INTERVAL", 0.05)
    offered("sample-two", "simulated-replicate", endpoint="tests/job-cancelled")
    response = submit(headers, model="sample-two", prompt="A kite [sim:slow=20]")
    (pk,) = jobs.take_due()

    def work() -> None:
        jobs.run(pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()

    def journal():
        return simulator.journal().get("replicate", {}).get("tests/job-cancelled", {})

    eventually(lambda: journal().get("created"))
    assert poll(response, headers, "delete")["status"] in ("running", "cancelled")
    thread.join()
    assert journal()["cancelled"] == 1
    assert poll(response, headers)["status"] == "cancelled"


def test_what_is_retired_while_it_waits_is_not_called(headers):
    response = submit(headers)
    model = QueuedRequest.objects.get().image_model
    type(model).objects.filter(pk=model.pk).update(retired_at=timezone.now())
    jobs.run(*jobs.take_due())
    assert poll(response, headers)["status"] == "failed"
    assert not Call.objects.exists()


def test_a_retry_gets_the_same_job_and_a_stream_no_job(headers):
    first, second = (submit(headers | {"Idempotency-Key": "1"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert submit(headers, stream=True).status_code == 400
    assert not GatewayRequest.objects.filter(status="running").exclude(pk=GatewayRequest.objects.last().pk).exists()


def test_what_a_dead_worker_leaves_is_deleted(headers):
    submit(headers)
    refuses("a started job was sent to a worker", update(QueuedRequest.objects.get(), started_at=timezone.now()))
    GatewayRequest.objects.update(
        status="failed", error="It died", error_code="process_lost", duration=timedelta(seconds=1), http_status=500
    )
    jobs.prune()
    assert not QueuedRequest.objects.exists()


def test_a_job_waits_for_a_worker_however_long_and_one_that_has_failed_is_not_called(headers):
    response = submit(headers)
    long_ago = timezone.now() - timedelta(days=1)
    GatewayRequest.objects.update(asked_at=long_ago)
    (pk,) = jobs.take_due()
    for started_at, status in ((None, "queued"), (timezone.now(), "running"), (long_ago, "failed")):
        QueuedRequest.objects.update(started_at=started_at)
        signed_files.prune()
        assert poll(response, headers)["status"] == status
    QueuedRequest.objects.update(started_at=None)
    jobs.run(pk)
    assert not Call.objects.exists()


def send_due() -> list[bool]:
    return [job_webhooks.send(*message) for message in job_webhooks.take_due()]


def test_the_end_of_a_job_is_sent_signed_once_and_not_before(headers):
    with receiving() as receiver:
        response = submit(headers, webhook_url=receiver.url)
        assert send_due() == []
        jobs.run(*jobs.take_due())
        (message,) = job_webhooks.take_due()
        assert job_webhooks.take_due() == []  # its task message is on its way
        assert job_webhooks.send(*message)
        assert not job_webhooks.send(*message)  # a message that came twice
    ((sent, body),) = receiver.requests
    event = json.loads(body)
    assert event["type"] == "image.job.completed"
    assert event["data"]["id"] == response.json()["id"]
    assert (
        Client().get(event["data"]["response"]["data"][0]["url"].removeprefix("http://testserver")).status_code == 200
    )
    secret = Client().get("/openai/v1/key", headers=headers).json()["webhook_secret"]
    assert is_signed(sent, body, secret)
    assert poll(response, headers)["webhook"] == {"status": "delivered", "attempts": 1, "last_status": 204}
    stranger = Client().get("/openai/v1/key", headers={"Authorization": f"Bearer {ApiKey.make('stranger')[1]}"}).json()
    assert stranger["webhook_secret"] != secret


@pytest.mark.parametrize(("prompt", "event"), [("A kite", "cancelled"), ("A kite [sim:policy]", "failed")])
def test_a_job_that_brings_no_image_is_reported_too(headers, prompt, event):
    with receiving() as receiver:
        response = submit(headers, prompt=prompt, webhook_url=receiver.url)
        if event == "cancelled":
            poll(response, headers, "delete")
        else:
            jobs.run(*jobs.take_due())
        assert send_due() == [True]
    assert json.loads(receiver.requests[0][1])["type"] == f"image.job.{event}"


@pytest.mark.parametrize("status", [500, 307])
def test_a_webhook_that_is_not_taken_is_sent_again_under_the_same_id(headers, status):
    """A redirect is not followed, wherever it leads: it may lead inside."""
    with receiving() as receiver:
        receiver.status = status
        response = submit(headers, webhook_url=receiver.url)
        poll(response, headers, "delete")
        assert send_due() == [False]
        assert poll(response, headers)["webhook"] == {"status": "waiting", "attempts": 1, "last_status": status}
        assert send_due() == []  # not due yet
        JobWebhook.objects.update(due_at=timezone.now())
        receiver.status = 200
        assert send_due() == [True]
    assert len(receiver.requests) == 2
    assert len({sent["webhook-id"] for sent, _ in receiver.requests}) == 1
    job_webhooks.prune()
    assert JobWebhook.objects.exists()
    JobWebhook.objects.update(ended_at=timezone.now() - timedelta(days=8))
    job_webhooks.prune()
    assert not JobWebhook.objects.exists()


def test_a_retry_of_the_client_sends_no_second_webhook(headers):
    with receiving() as receiver:
        for _ in range(2):
            submit(headers | {"Idempotency-Key": "1"}, webhook_url=receiver.url)
    assert JobWebhook.objects.count() == 1
    refuses("a job's webhook ends when it is delivered or failed", update(JobWebhook.objects.get(), status="failed"))
    refuses("a job's webhook has a URL", update(JobWebhook.objects.get(), url=""))


def test_nothing_is_sent_inside_and_the_client_learns_nothing_of_the_network(headers):
    response = submit(headers, webhook_url="https://hook.example.org/hook")
    JobWebhook.objects.update(url="https://127.0.0.1:9/hook")  # as if the name led there
    poll(response, headers, "delete")
    assert send_due() == [False]
    assert JobWebhook.objects.get().answer.startswith("no answer: ")
    assert poll(response, headers)["webhook"] == {"status": "waiting", "attempts": 1, "last_status": None}


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"webhook_url": "http://example.org/hook"}, {}),
        ({"webhook_url": "https://name:password@example.org/hook"}, {}),
        ({"webhook_url": "example.org"}, {}),
        ({"webhook_url": "https://127.0.0.1/hook"}, {}),
        ({"webhook_url": "https://[fd00::1]:8443/hook"}, {}),
        ({"webhook_url": "https://localhost/hook"}, {}),
        ({"webhook_url": "https://localhost./hook"}, {}),
        ({"webhook_url": "https://2130706433/hook"}, {}),
        ({"webhook_url": "https://0x7f.1/hook"}, {}),
        ({"webhook_url": "https://hooks.internal/hook"}, {}),
        ({"webhook_url": "https://example.org/hook"}, {"Prefer": "wait=5"}),
    ],
)
def test_a_webhook_that_cannot_be_sent_is_an_error_before_anything_is_made(headers, fields, more):
    response = submit(headers | more, **fields)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "webhook_url")
    assert not GatewayRequest.objects.exists()


def test_a_job_whose_worker_was_killed_is_taken_over_and_bought_once(headers, simulator):
    offering = Offering.objects.get(mode="text-to-image")
    Offering.objects.update(provider="simulated-fal", parameters=PARAMETERS["fal"])
    response = submit(headers)
    (pk,) = jobs.take_due()
    row = GatewayRequest.objects.get()
    QueuedRequest.objects.update(started_at=timezone.now())
    offering.refresh_from_db()
    submit_and_die(offering, request_id=row.pk)
    bought = simulator.journal()["fal"][offering.endpoint]["created"]
    assert jobs.take_due() == []  # its worker may be alive
    jobs.run(pk)
    assert poll(response, headers)["status"] == "running"
    expire_leases()
    QueuedRequest.objects.update(sent_at=timezone.now() - timedelta(minutes=1))
    assert jobs.take_due() == [pk]
    jobs.run(pk)
    assert poll(response, headers)["status"] == "completed"
    assert simulator.journal()["fal"][offering.endpoint]["created"] == bought
    assert not ProviderJob.objects.exists()
    row.refresh_from_db()
    assert row.cost == Call.objects.get().cost
