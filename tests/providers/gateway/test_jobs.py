"""Asynchronous requests: queued, run by a worker once, cancelled, and forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from providers.gateway import jobs
from providers.models import ApiKey, Call, GatewayRequest, QueuedRequest
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.config.processes import eventually

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
