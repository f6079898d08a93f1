"""A gateway that is stopped: no waiting client loses its image."""

from __future__ import annotations

import signal
import threading

import httpx
import pytest

from providers.models import ApiKey, Call, GatewayRequest
from tests.config.processes import eventually

from .conftest import offered, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def ask(url: str, secret: str, answers: list[httpx.Response], **more) -> threading.Thread:
    """An image on its way, asked by a thread."""
    fields = {"model": "sample-one", "prompt": "Snow [sim:slow=1.5]", "size": "64x64", "response_format": "b64_json"}
    headers = {"Authorization": f"Bearer {secret}"}

    def wait() -> None:
        where = f"{url}/openai/v1/images/generations"
        answers.append(httpx.post(where, json=fields | more, headers=headers, timeout=30))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_waiting_clients_get_their_images_and_rows_are_settled(simulator, simulated, tmp_path):
    _, secret = ApiKey.make("test")
    offered("sample-one", endpoint="tests/ending")
    answers: list[httpx.Response] = []
    with serving(simulator, tmp_path) as (url, process):
        threads = [ask(url, secret, answers), ask(url, secret, answers, stream=True, prompt="Rain [sim:slow=1.5]")]
        eventually(lambda: simulator.journal().get("openai", {}).get("tests/ending", {}).get("created") == 2)
        process.send_signal(signal.SIGTERM)
        eventually(lambda: refuses(url))  # a load balancer sees that, and asks another process
        for thread in threads:
            thread.join()
        assert process.wait(15) == 0
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json", "text/event-stream"}
    assert all(b"b64_json" in answer.content for answer in answers)
    assert list(GatewayRequest.objects.values_list("status", flat=True)) == ["ok", "ok"]
    assert Call.objects.filter(outcome="ok").count() == 2


def refuses(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=2)
    except httpx.TransportError:
        return True
    return False
