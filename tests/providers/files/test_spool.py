"""Images that were paid for while the file store takes nothing: had at once, stored later, bought once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from providers import cache
from providers.files import file_store, spool
from providers.gateway import jobs, signed_files
from providers.models import ApiKey, Call, GatewayRequest, SpooledFile, Trial
from providers.playground import trials
from tests.arena.generation.test_storage import in_the_way
from tests.arena.test_constraints import refuses
from tests.providers.gateway.conftest import offered
from tests.providers.gateway.test_budgets import post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret(simulated):
    offered("sample-one")
    return ApiKey.make("test")[1]


def fetch(url: str):
    parts = urlsplit(url)
    return Client().get(f"{parts.path}?{parts.query}")


def mended(blocked: Path) -> None:
    blocked.unlink()
    cache.clear_process_caches()


def test_an_image_behind_a_url_is_had_at_once_and_stored_when_files_can_be_stored(secret, settings):
    blocked = in_the_way(settings, "gateway")
    response = post(secret, response_format="url")
    assert response.status_code == 200, response.content
    url = response.json()["data"][0]["url"]
    image = fetch(url)
    assert (image.status_code, image["Content-Type"]) == (200, "image/png")
    row, file = GatewayRequest.objects.get(), SpooledFile.objects.get()
    assert (row.status, row.files[0]["name"], bytes(file.data)) == ("ok", file.name, image.content)
    assert file_store.known_trouble()
    assert spool.flush() == 0
    mended(blocked)
    assert spool.flush() == 1
    assert not SpooledFile.objects.exists()
    assert default_storage.exists(file.name)
    assert fetch(url).content == image.content
    assert Call.objects.count() == 1


def test_a_retry_gets_the_image_of_its_first_try_although_it_could_not_be_stored(secret, settings):
    in_the_way(settings, "gateway")
    first = Client().post(
        "/openai/v1/images/generations",
        {"model": "sample-one", "prompt": "A kite", "size": "64x64", "response_format": "b64_json"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
    )
    first.close()
    assert first.status_code == 200
    second = Client().post(
        "/openai/v1/images/generations",
        {"model": "sample-one", "prompt": "A kite", "size": "64x64", "response_format": "b64_json"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
    )
    assert second.json()["data"] == first.json()["data"]
    assert (Call.objects.count(), GatewayRequest.objects.get().status) == (1, "ok")


def test_an_asynchronous_job_is_completed_although_its_image_could_not_be_stored(secret, settings):
    in_the_way(settings, "gateway")
    response = Client().post(
        "/openai/v1/images/generations",
        {"model": "sample-one", "prompt": "A kite", "size": "64x64"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "Prefer": "respond-async"},
    )
    for pk in jobs.take_due():
        jobs.run(pk)
    job = (
        Client()
        .get(f"/openai/v1/images/jobs/{response.json()['id']}", headers={"Authorization": f"Bearer {secret}"})
        .json()
    )
    assert job["status"] == "completed", job
    assert fetch(job["response"]["data"][0]["url"]).status_code == 200
    assert Call.objects.count() == 1


def test_a_trial_shows_its_image_although_it_could_not_be_stored(secret, settings, client):
    blocked = in_the_way(settings, "playground")
    form = {"prompt": "A kite", "model": ["sample-one"], "size": "64x64", "action": "generate"}
    assert client.post("/playground/", form).status_code == 302
    for pk in trials.take_due():
        trials.run(pk)
    trial = Trial.objects.get()
    assert trial.status == "done", trial.error
    image = client.get(f"/playground/images/{trial.pk}/")
    assert image.status_code == 200
    mended(blocked)
    assert spool.flush() == 1
    assert client.get(f"/playground/images/{trial.pk}/").content == image.content


def test_what_expires_before_it_is_stored_is_deleted(secret, settings):
    in_the_way(settings, "gateway")
    assert post(secret, response_format="url").status_code == 200
    GatewayRequest.objects.update(files_expire_at=timezone.now() - timedelta(seconds=1))
    assert signed_files.prune() == 1
    assert not SpooledFile.objects.exists()


def test_nothing_is_bought_for_a_url_when_neither_place_takes_more(secret, settings, monkeypatch):
    in_the_way(settings, "gateway")
    assert post(secret, response_format="url").status_code == 200
    monkeypatch.setattr(spool, "MAX_BYTES", 1)
    full = post(secret, response_format="url")
    assert (full.status_code, full.json()["error"]["code"]) == (503, "storage_unavailable")
    assert Call.objects.count() == 1
    assert set(GatewayRequest.objects.values_list("status", flat=True)) == {"ok", "failed"}
    assert post(secret, response_format="b64_json").status_code == 200  # needs no file


def test_postgres_refuses_a_spooled_file_without_name_or_bytes(db):
    for fields in ({"name": "", "data": b"x"}, {"name": "gateway/x.png", "data": b""}):
        refuses("a spooled file has a name and bytes", lambda fields=fields: SpooledFile.objects.create(**fields))
