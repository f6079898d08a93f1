"""The gateway over plain HTTP: encodings, false types, errors, URLs that expire, keys and money."""

from __future__ import annotations

import base64
import io
import threading
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from django.utils import timezone
from PIL import Image

from providers.gateway import budgets, keys, signed_files
from providers.models import ApiKey, Call, GatewayRequest, KeySpending, Offering
from providers.spending import daily_cap
from tests import factories as make
from tests.config.processes import eventually

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)


def size_of(item) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).size


def data_uri(data: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(data).decode()


# Encodings ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]"])
def test_forms_with_texts_for_everything_and_false_types(gateway, name):
    form = {"model": "sample-one", "prompt": "Dusk", "n": "2", "size": "96x64", "seed": "3", "stream": "false"}
    parts = [(name, ("photo.txt", make.picture("a", 96, 64), "application/octet-stream"))]
    answer = gateway.post("images/edits", data=form | {"response_format": "b64_json"}, files=parts)
    assert answer.status_code == 200, answer.text
    assert [size_of(item) for item in answer.json()["data"]] == [(96, 64)] * 2


@pytest.mark.parametrize("as_json", [
    lambda uri: {"images": [{"image_url": uri}]}, lambda uri: {"image": uri}, lambda uri: {"image": [uri, uri]},
])  # fmt: skip
def test_edits_in_json(gateway, as_json):
    answer = gateway.ask("Dusk", "images/edits", **as_json(data_uri(make.picture("a", 64, 64))))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (data_uri(b"<svg/>"), "invalid_image"),
        (data_uri(make.picture("a")[:200]), "invalid_image"),
        ("data:image/png;base64,!!", "invalid_image"),
        ("http://169.254.169.254/latest/meta-data/", "invalid_image"),
        ("https://127.0.0.1:1/a.png", "invalid_image"),
        ("file:///etc/passwd", "invalid_image"),
        ({"file_id": "file-1"}, "invalid_value"),
        (7, "invalid_value"),
        ([], "missing_required_parameter"),
    ],
)
def test_unusable_images_are_rejected_before_a_provider_is_called(gateway, image, code):
    answer = gateway.ask("Dusk", "images/edits", image=image)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert answer.json()["error"]["param"] == "image"
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 0}, "n"), ({"n": "many"}, "n"), ({"size": "0x0"}, "size"), ({"aspect_ratio": "wide"}, "aspect_ratio"),
        ({"resolution": "big"}, "resolution"), ({"output_format": "bmp"}, "output_format"), ({"seed": -2}, "seed"),
        ({"output_compression": 101}, "output_compression"), ({"prompt": ""}, "prompt"), ({"prompt": ["x"]}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"), ({"prompt": "\ud800"}, "prompt"), ({"model": None}, "model"),
        ({"response_format": "xml"}, "response_format"), ({"stream": "perhaps"}, "stream"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_rejected_with_the_name_of_its_parameter(client, fields, param, transactional_db):
    """In this process: the same views behind WSGI."""
    _, secret = ApiKey.make("wsgi")
    answer = client.post(
        "/openai/v1/images/generations", {"model": "m", "prompt": "p"} | fields, "application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert answer["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "images/generations", b"{", 400),
        ("POST", "images/generations", b"[1]", 400),
        ("POST", "images/generations", b'{"n": NaN}', 400),
        ("POST", "images/generations", b'{"model": "sample-one", "prompt": "a kite", "strength": 1e400}', 400),
        ("POST", "images/generations", b"[" * 100_000, 400),
        ("GET", "images/generations", b"", 405),
        ("POST", "models", b"", 405),
        ("POST", "images/upscales", b"", 404),
        ("GET", "models/none/such", b"", 404),
    ],
)
def test_every_error_has_the_envelope(gateway, method, path, content, status):
    answer = gateway.client.request(
        method, f"/openai/v1/{path}", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_foreign_host_is_rejected_before_anything_is_generated(gateway):
    """URLs of images are made from it."""
    answer = gateway.ask(headers={"Host": "evil.example"}, response_format="url")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_host")
    assert "ALLOWED_HOSTS" in answer.json()["error"]["message"]
    assert not Call.objects.exists()
    assert not GatewayRequest.objects.exists()


def test_a_body_without_end_is_cut_off(gateway):
    def endless():
        while True:
            yield b"x" * 1_000_000

    try:
        answer = gateway.post("images/generations", content=endless(), headers={"Content-Type": "application/json"})
    except httpx.TransportError:
        return  # the connection was closed while we were still talking
    assert answer.status_code == 413


# Signed URLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_signed_url_cannot_be_changed_and_expires(gateway, settings):
    url = gateway.ask(response_format="url").json()["data"][0]["url"]
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    expires = url.partition("expires=")[2].partition("&")[0]
    assert 3500 < int(expires) - timezone.now().timestamp() <= 3600
    for forged in (url.replace(expires, str(int(expires) + 1)), url[:-1], url.replace("-0.png", "-1.png")):
        assert httpx.get(forged).status_code == 404
    settings.MEDIA_ROOT = gateway.media
    assert signed_files.prune() == 0
    GatewayRequest.objects.update(files_expire_at=timezone.now())
    assert signed_files.prune() == 1
    assert not list(gateway.media.glob(f"gateway/{GatewayRequest.objects.get().pk.hex}*"))
    assert httpx.get(url).status_code == 404


def test_openai_models_return_base64_unless_requested_otherwise(gateway):
    offered("gpt-image-9")
    for fields, field in (({"model": "gpt-image-9"}, "b64_json"), ({"model": "sample-one"}, "url")):
        answer = gateway.post(json={"prompt": "Snow", "size": "64x64"} | fields).json()
        assert field in answer["data"][0]
    ApiKey.objects.update(response_format="b64_json")
    answer = gateway.post(json={"prompt": "Snow", "size": "64x64", "model": "sample-one"}).json()
    assert "b64_json" in answer["data"][0]


def test_the_largest_limit_that_a_key_may_have_rejects_nobody():
    for _ in range(3):
        assert not keys.count("largest limit", 2**31 - 1).is_exceeded


# Keys and money ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_revoked_key_is_no_key(gateway):
    assert gateway.client.get("/openai/v1/models").status_code == 200
    ApiKey.objects.update(revoked_at=timezone.now())
    answer = gateway.client.get("/openai/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_key_has_a_rate_limit_and_the_error_says_how_long_to_wait(gateway):
    ApiKey.objects.update(requests_per_minute=2)
    statuses = [gateway.ask(n=0) for _ in range(3)]
    assert [answer.status_code for answer in statuses] == [400, 400, 429]
    assert 0 < int(statuses[2].headers["retry-after"]) <= 30


def test_a_budget_holds_also_for_parallel_requests(gateway):
    ApiKey.objects.update(monthly_budget=Decimal("0.05"))
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(gateway.ask().status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 5 + [402] * 7
    KeySpending.objects.update(day=timezone.now().date() - timedelta(days=40))
    assert gateway.ask().status_code == 200  # another month


def test_a_change_of_key_or_model_counts_at_once(gateway):
    """Both are cached for some seconds, and confirmed when the request is inserted."""
    model = offered("sample-two")
    assert "url" in gateway.ask(model="sample-two", response_format=None).json()["data"][0]
    ApiKey.objects.update(response_format="b64_json")
    assert "b64_json" in gateway.ask(model="sample-two", response_format=None).json()["data"][0]
    type(model).objects.filter(pk=model.pk).update(retired_at=timezone.now())
    assert gateway.ask(model="sample-two").status_code == 404
    ApiKey.objects.update(revoked_at=timezone.now())
    assert gateway.ask().status_code == 401
    assert GatewayRequest.objects.count() == 2


def test_what_a_process_that_died_had_already_paid_is_its_requests_cost(gateway):
    gateway.ask()
    eventually(lambda: GatewayRequest.objects.filter(status="ok").exists())
    GatewayRequest.objects.update(
        status="running", duration=None, cost=None, asked_at=timezone.now() - timedelta(hours=2)
    )
    Call.objects.update(started_at=timezone.now() - timedelta(hours=1))
    signed_files.prune()
    row = GatewayRequest.objects.get()
    assert (row.status, row.cost) == ("failed", Decimal("0.01"))


def test_what_was_in_flight_when_a_process_died_counts_against_the_budget_of_its_key():
    """The provider may bill it, also where no client got the answer."""
    model = offered("sample-one")
    key, _ = ApiKey.make("killed", monthly_budget=1)
    row = GatewayRequest(
        api_key=key, mode="text-to-image", model="sample-one", fingerprint="0" * 64, reserved=Decimal("0.30"),
        asked_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip
    budgets.reserve(row)
    offering = model.offerings.get(mode="text-to-image")
    Offering.objects.update(provider="openai")  # bills real money
    offering.refresh_from_db()
    daily_cap.reserve(offering, Decimal("0.05"), caller="gateway", request_id=row.pk, attempt=1, n=2, seconds=60)
    signed_files.prune()
    row.refresh_from_db()
    assert (row.error_code, row.cost, row.reserved) == ("process_lost", None, Decimal("0.10"))
    assert budgets.spent(key).total == Decimal("0.10")
    assert budgets.recount(row.asked_at.date()) == 0


def test_what_a_dead_process_left_behind_is_closed_and_its_reservation_freed(gateway):
    row = GatewayRequest.objects.create(
        api_key=gateway.key, mode="edit", model="m", fingerprint="0" * 64, reserved=Decimal(1),
        asked_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip
    signed_files.prune()
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "process_lost")
    assert row.cost == 0
