"""What a client gets while as many requests run as may."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings

from providers.gateway import asgi, lookup_cache
from providers.models import ApiKey

from . import free_slots

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_thread_is_free() -> Iterator[None]:
    taken = free_slots.take_all()
    assert len(taken) == settings.GATEWAY_THREADS
    yield
    for slot in taken:
        slot.release()


def overloaded_response(secret: str) -> dict[str, str]:
    """The headers of the response to a request for an image, whose error is checked here."""
    messages: list[dict[str, Any]] = []
    headers = [(b"host", b"testserver"), (b"authorization", f"Bearer {secret}".encode())]
    path = "/openai/v1/images/generations"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}

    async def run() -> None:
        async def send(message) -> None:
            messages.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        gateway = asgi.Gateway()
        assert not await gateway.check_head(scope)
        await gateway(scope, receive, send, io.BytesIO())

    with ThreadPoolExecutor(1) as pool:  # a thread without the event loop that Playwright keeps in this one
        pool.submit(asyncio.run, run()).result()
    assert messages[0]["status"] == 503
    assert json.loads(messages[1]["body"])["error"]["code"] == "overloaded"
    return {name.decode(): value.decode() for name, value in messages[0]["headers"]}


def test_the_limit_of_a_key_that_was_just_seen_is_said_and_nothing_is_looked_up(
    no_thread_is_free, django_assert_num_queries
):
    key, secret = ApiKey.make("busy", requests_per_minute=7)
    with django_assert_num_queries(0):
        headers = overloaded_response(secret)
    assert headers["x-request-id"].startswith("req_")
    assert (headers["retry-after"], headers["x-should-retry"]) == ("1", "true")
    assert not any(name.startswith("x-ratelimit") for name in headers)
    lookup_cache.api_keys.put(key.digest, key)
    headers = overloaded_response(secret)
    assert headers["x-ratelimit-limit-requests"] == "7"
    assert "x-ratelimit-remaining-requests" not in headers  # nobody has counted
