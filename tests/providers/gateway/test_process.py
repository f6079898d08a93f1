"""Requests of a process that was killed: a retry need not wait for it, and its reservation is free in a minute."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from providers.admission import valkey
from providers.gateway import budgets, process, signed_files
from providers.models import ApiKey, Call, GatewayRequest, ImageModel, QueuedRequest

from .conftest import offered
from .test_budgets import post

pytestmark = pytest.mark.django_db(transaction=True)

BODY = {"model": "sample-one", "prompt": "A kite", "size": "64x64", "response_format": "b64_json"}
DEAD = "0123456789abcdef" * 2


@pytest.fixture
def secret(simulated):
    offered("sample-one")
    return ApiKey.make("test", monthly_budget=1)[1]


def retry(secret: str, count: int):
    headers = {"Authorization": f"Bearer {secret}", "X-Stainless-Retry-Count": str(count)}
    return Client().post("/openai/v1/images/generations", BODY, "application/json", headers=headers)


def killed(secret: str) -> GatewayRequest:
    """A request that runs in a process that is no more."""
    response = post(secret)
    response.close()
    Call.objects.all().delete()
    GatewayRequest.objects.update(
        status="running", duration=None, cost=None, reserved="0.01", answer={}, files=[], files_expire_at=None,
        delivered_at=None, process=DEAD,
    )  # fmt: skip
    budgets.recount(timezone.now().date())
    return GatewayRequest.objects.get()


@pytest.fixture(autouse=True)
def _signs_of_life_are_stored_since_long_ago():
    process._record(process.name())  # a test begins with an empty Valkey
    valkey.run("return redis.call('SET', KEYS[1], '1')", [process._SINCE], [])


def test_a_retry_after_a_kill_is_asked_to_come_again_and_then_is_a_new_request(secret, monkeypatch):
    monkeypatch.setattr(process, "INTERVAL", 0.1)
    row = killed(secret)
    first = retry(secret, 1)
    assert (first.status_code, first.json()["error"]["code"]) == (503, "process_lost")
    assert first["x-should-retry"] == "true"
    row.refresh_from_db()
    assert (row.status, row.cost) == ("failed", 0)
    second = retry(secret, 2)
    assert second.status_code == 200, second.content
    assert "Idempotent-Replayed" not in second
    assert Call.objects.count() == 1


def test_a_request_of_a_living_process_is_waited_for(secret, monkeypatch, settings):
    monkeypatch.setattr(process, "INTERVAL", 0.1)
    settings.GATEWAY_TIME_LIMIT = 0.5
    row = killed(secret)
    GatewayRequest.objects.update(process=process.name())
    assert retry(secret, 1).json()["error"]["code"] == "provider_timeout"
    row.refresh_from_db()
    assert row.status == "running"


def test_nobody_is_dead_while_valkey_cannot_be_reached_or_has_just_started(monkeypatch):
    assert process.is_dead(DEAD)
    assert not process.is_dead("")
    assert not process.is_dead(process.name())
    valkey.run("return redis.call('DEL', KEYS[1])", [process._SINCE], [])  # it was restarted, and all are silent
    assert not process.is_dead(DEAD)
    process._record(process.name())
    assert not process.is_dead(DEAD)  # not yet
    monkeypatch.setattr(valkey, "_unavailable_until", float("inf"))
    assert not process.is_dead(DEAD)


def test_what_it_reserved_is_free_in_a_minute_but_for_jobs_which_workers_run(secret):
    row = killed(secret)
    signed_files.prune()
    row.refresh_from_db()
    assert row.status == "running"  # a moment ago: its process may have been named just now
    GatewayRequest.objects.update(asked_at=timezone.now() - timedelta(seconds=2 * process.TTL + 1))
    queued = QueuedRequest.objects.create(request=row, image_model=ImageModel.objects.get(), payload={})
    signed_files.prune()
    row.refresh_from_db()
    assert row.status == "running"
    queued.delete()
    signed_files.prune()
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "process_lost")


def test_a_job_belongs_to_no_process_of_the_gateway(secret):
    headers = {"Authorization": f"Bearer {secret}", "Prefer": "respond-async"}
    Client().post("/openai/v1/images/generations", BODY, "application/json", headers=headers)
    assert GatewayRequest.objects.get().process == ""
    post(secret)
    assert GatewayRequest.objects.filter(process=process.name()).count() == 1
