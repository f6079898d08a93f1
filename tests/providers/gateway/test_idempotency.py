"""Retries, equal requests and clients that disconnect: an image is made and billed once."""

from __future__ import annotations

import threading

import httpx
import pytest

from providers.models import ApiKey, GatewayRequest
from tests.config.processes import eventually

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert gateway.ask().status_code == 200  # finds the key changed and reads it again …
    assert gateway.ask(model="nothing").status_code == 404  # … and this is the one request of the minute
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
    """The limit of a key is cached for some seconds; a request that it rejects does not read it again."""
    limit = str(ApiKey.objects.get(pk=gateway.key.pk).requests_per_minute or 6000)
    eventually(lambda: gateway.ask(model="nothing").headers["x-ratelimit-limit-requests"] == limit, 10, every=0.2)


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
