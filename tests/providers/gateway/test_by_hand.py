"""The gateway over plain HTTP: encodings, false types, URLs that expire, clients that disconnect, keys and money."""

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

from providers.gateway import keys, signed_files
from providers.models import ApiKey, Call, GatewayRequest, KeySpending
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


# Retries and disconnects ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_with_the_same_idempotency_key_is_made_and_billed_once(gateway):
    offered("sample-two", endpoint="tests/idempotent")
    headers = {"Idempotency-Key": "order 7"}
    first = gateway.ask("Snow", model="sample-two", headers=headers)
    again = gateway.ask("Snow", model="sample-two", headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = gateway.ask("Rain", model="sample-two", headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert gateway.journal("tests/idempotent")["asked"] == 1
    assert GatewayRequest.objects.get().repeats == 1


def test_retries_of_the_official_clients_are_made_once_also_while_the_first_is_running(gateway):
    offered("sample-two", endpoint="tests/retried")
    answers = {}

    def ask(count):
        headers = {"X-Stainless-Retry-Count": str(count)}
        answers[count] = gateway.ask("Snow [sim:slow=1]", model="sample-two", headers=headers).json()

    threads = [threading.Thread(target=ask, args=(count,)) for count in (0, 1, 2)]
    threads[0].start()
    eventually(lambda: GatewayRequest.objects.exists())
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0]["data"] == answers[1]["data"] == answers[2]["data"]
    assert gateway.journal("tests/retried")["asked"] == 1
    assert GatewayRequest.objects.count() == 1
    eventually(lambda: GatewayRequest.objects.filter(delivered_at__isnull=False).exists())
    ask(0)  # equal, but a new request
    assert GatewayRequest.objects.count() == 2


def disconnect(gateway, model: str, seconds: float = 0.5, **headers) -> None:
    with pytest.raises(httpx.ReadTimeout):
        gateway.client.post(
            "/openai/v1/images/generations",
            json={"model": model, "prompt": "Snow [sim:slow=20]"},
            headers=headers,
            timeout=seconds,
        )


def test_a_client_that_disconnects_cancels_its_job(gateway):
    offered("sample-two", "simulated-replicate", endpoint="tests/abandoned")
    disconnect(gateway, "sample-two")
    eventually(lambda: gateway.journal("tests/abandoned", "replicate").get("cancelled"))
    eventually(lambda: GatewayRequest.objects.filter(status="cancelled", http_status=499).exists())


def test_a_client_that_will_retry_is_waited_for(gateway):
    offered("sample-two", "simulated-replicate", endpoint="tests/lost-and-found")
    fields = {"model": "sample-two", "prompt": "Snow [sim:slow=2]", "size": "64x64"}
    with pytest.raises(httpx.ReadTimeout):
        gateway.post(json=fields, headers={"X-Stainless-Retry-Count": "0"}, timeout=0.7)
    again = gateway.post(json=fields, headers={"X-Stainless-Retry-Count": "1"})
    assert again.status_code == 200, again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert gateway.journal("tests/lost-and-found", "replicate")["created"] == 1


def test_a_retry_of_a_lost_response_gets_it_once_and_one_of_a_delivered_response_is_new(gateway):
    offered("sample-two", endpoint="tests/lost-once")
    first = {"X-Stainless-Retry-Count": "0"}
    retry = {"X-Stainless-Retry-Count": "1"}
    fields = {"model": "sample-two", "prompt": "Snow [sim:slow=1]", "size": "64x64", "response_format": "b64_json"}
    assert gateway.post(json=fields, headers=first).status_code == 200
    eventually(lambda: GatewayRequest.objects.filter(delivered_at__isnull=False).exists())
    new = gateway.post(json=fields, headers=retry)  # perhaps of a request that never reached us: not of that one
    assert "idempotent-replayed" not in new.headers
    eventually(lambda: GatewayRequest.objects.filter(delivered_at__isnull=False).count() == 2)
    with pytest.raises(httpx.ReadTimeout):
        gateway.post(json=fields, headers=first, timeout=0.4)
    eventually(lambda: GatewayRequest.objects.filter(wanted_until__isnull=False).exists())
    assert gateway.post(json=fields, headers=retry).headers["idempotent-replayed"] == "true"
    eventually(lambda: GatewayRequest.objects.filter(delivered_at__isnull=False).count() == 3)
    assert "idempotent-replayed" not in gateway.post(json=fields, headers=retry).headers  # once
    assert gateway.journal("tests/lost-once")["asked"] == 4


def test_a_retry_of_what_we_rejected_is_new_while_an_equal_request_is_running(gateway):
    offered("sample-two", endpoint="tests/rejected-equal")
    fields = {"model": "sample-two", "prompt": "Snow [sim:slow=2]", "size": "64x64", "response_format": "b64_json"}
    answers: list[httpx.Response] = []
    running = threading.Thread(target=lambda: answers.append(gateway.post(json=fields)))
    running.start()
    eventually(lambda: GatewayRequest.objects.filter(status="running").exists())
    ApiKey.objects.update(requests_per_minute=1)
    gateway_keys_expire(gateway)
    rejected = gateway.post(json=fields, headers={"X-Stainless-Retry-Count": "0"})
    assert rejected.status_code == 429
    ApiKey.objects.update(requests_per_minute=None)
    gateway_keys_expire(gateway)
    retried = gateway.post(json=fields, headers={"X-Stainless-Retry-Count": "1"})
    running.join()
    assert [answers[0].status_code, retried.status_code] == [200, 200]
    assert "idempotent-replayed" not in retried.headers
    assert gateway.journal("tests/rejected-equal")["asked"] == 2


def gateway_keys_expire(gateway) -> None:
    """The limit of a key is read from a cache of some seconds; a request that finds it changed refreshes it."""
    gateway.client.get("/openai/v1/models")
    eventually(lambda: gateway.ask(model="nothing").headers["x-ratelimit-limit-requests"] == str(
        ApiKey.objects.get(pk=gateway.key.pk).requests_per_minute or 6000
    ), seconds=10)  # fmt: skip


def test_the_largest_limit_that_a_key_may_have_rejects_nobody():
    for _ in range(3):
        assert not keys.count("largest limit", 2**31 - 1).is_exceeded


def test_equal_requests_of_different_keys_are_never_mixed(gateway):
    offered("sample-two", endpoint="tests/two-keys")
    fields = {"model": "sample-two", "prompt": "Snow [sim:slow=1]", "size": "64x64"}
    with pytest.raises(httpx.ReadTimeout):
        gateway.post(json=fields, headers={"X-Stainless-Retry-Count": "0", "Idempotency-Key": "1"}, timeout=0.4)
    _, secret = ApiKey.make("other")
    headers = {"Authorization": f"Bearer {secret}", "X-Stainless-Retry-Count": "1", "Idempotency-Key": "1"}
    other = gateway.post(json=fields, headers=headers)
    assert other.status_code == 200
    assert "idempotent-replayed" not in other.headers
    assert GatewayRequest.objects.count() == 2


def test_a_stream_that_is_left_cancels_its_job(gateway):
    offered("sample-two", "simulated-fal", endpoint="tests/stream-left")
    fields = {"model": "sample-two", "prompt": "Snow [sim:slow=20]", "stream": True}
    with gateway.client.stream("POST", "/openai/v1/images/generations", json=fields) as answer:
        chunks = answer.iter_text()
        assert next(chunks).startswith(":")
        eventually(lambda: gateway.journal("tests/stream-left", "fal").get("created"))
    eventually(lambda: gateway.journal("tests/stream-left", "fal").get("cancelled"))


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


def test_what_a_dead_process_left_behind_is_closed_and_its_reservation_freed(gateway):
    row = GatewayRequest.objects.create(
        api_key=gateway.key, mode="edit", model="m", fingerprint="0" * 64, reserved=Decimal(1),
        asked_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip
    signed_files.prune()
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "process_lost")
    assert row.cost == 0
