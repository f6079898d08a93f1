"""Signs of life of long plain requests: white space before the JSON, for clients that ask for it."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.test import Client
from django.urls import path

from providers.gateway import asgi, errors
from providers.gateway.disconnect import connection_of
from providers.gateway.views import api
from providers.models import ApiKey
from tests.config.processes import eventually

from . import free_slots
from .conftest import offered

released = threading.Event()


@api("POST")
def accepted(request: HttpRequest) -> HttpResponseBase:
    """A view that takes the request and then works until it is released."""
    connection_of(request).may_begin = True
    assert released.wait(30)
    return JsonResponse({"data": [1]})


@api("POST")
def failing(request: HttpRequest) -> HttpResponseBase:
    connection_of(request).may_begin = True
    assert released.wait(30)
    raise errors.ApiError(502, "all_providers_failed", "None.", kind="server_error")


@api("POST")
def rejecting(request: HttpRequest) -> HttpResponseBase:
    """A view that has not taken the request when it has an error after a while."""
    assert released.wait(30)
    raise errors.invalid("n", "n: no")


class Closing(JsonResponse):
    ended = threading.Event()

    def close(self) -> None:
        super().close()
        self.ended.set()


@api("POST")
def settling(request: HttpRequest) -> HttpResponseBase:
    """A view whose response has work to do when it is closed: the rest of a request for images."""
    connection_of(request).may_begin = True
    assert connection_of(request).gone.wait(30)
    return Closing({"data": [1]})


urlpatterns = [path(view.__name__, view) for view in (accepted, failing, rejecting, settling)]


def request(name: str, *, prefer: bytes = b"keep-alive", beats: int = 0) -> list[dict[str, Any]]:
    """The messages of the response. The view is released after so many heartbeats of the client's own clock."""
    messages: list[dict[str, Any]] = []
    headers = [(b"host", b"testserver"), (b"prefer", prefer)]
    scope = {"type": "http", "method": "POST", "path": f"/{name}", "query_string": b"", "headers": headers}
    released.clear()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message) -> None:
        messages.append(message)
        if len(messages) > beats:
            released.set()

    async def run() -> None:
        if not beats:
            asyncio.get_running_loop().call_later(asgi.HEARTBEAT * 3, released.set)
        await asgi.Gateway(__name__)(scope, receive, send, io.BytesIO())

    with ThreadPoolExecutor(1) as pool:  # a thread without the event loop that Playwright keeps in this one
        pool.submit(lambda: asyncio.run(run())).result()
    return messages


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(asgi, "HEARTBEAT", 0.02)


def body(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def test_white_space_comes_before_the_json_of_a_slow_request():
    messages = request("accepted", beats=3)
    start = messages[0]
    headers = dict(start["headers"])
    assert (start["status"], headers[b"preference-applied"]) == (200, b"keep-alive")
    assert headers[b"x-request-id"].startswith(b"req_")
    assert b"content-length" not in headers
    assert [message["body"] for message in messages[1:4]] == [b"\n"] * 3
    assert not messages[-1].get("more_body")
    assert json.loads(body(messages)) == {"data": [1]}


def test_an_error_after_the_first_byte_has_its_status_in_the_body():
    messages = request("failing", beats=2)
    assert messages[0]["status"] == 200
    error = json.loads(body(messages))["error"]
    assert (error["code"], error["status"]) == ("all_providers_failed", 502)


@pytest.mark.parametrize(("view", "prefer", "status"), [("rejecting", b"keep-alive", 400), ("failing", b"wait=9", 502)])
def test_a_request_that_is_not_accepted_or_did_not_ask_keeps_its_status(view, prefer, status):
    messages = request(view, prefer=prefer)
    assert messages[0]["status"] == status
    assert "status" not in json.loads(body(messages))["error"]


def test_a_request_whose_heartbeat_cannot_be_sent_is_cancelled_and_settled():
    Closing.ended.clear()
    headers = [(b"host", b"testserver"), (b"prefer", b"keep-alive")]
    scope = {"type": "http", "method": "POST", "path": "/settling", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message) -> None:
        raise OSError("the connection is gone")

    async def run() -> None:
        with pytest.raises(OSError, match="the connection is gone"):
            await asgi.Gateway(__name__)(scope, receive, send, io.BytesIO())
        assert await asyncio.to_thread(Closing.ended.wait, 30)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(run())).result()
    eventually(lambda: free_slots.count() == settings.GATEWAY_THREADS)


@pytest.mark.django_db(transaction=True)
def test_only_accepted_requests_that_ask_for_it_may_begin_early(simulated):
    offered("sample-one")
    _, secret = ApiKey.make("patient")
    fields = {"model": "sample-one", "prompt": "A kite", "size": "64x64"}

    def may_begin(prefer: str, **more) -> bool:
        headers = {"Authorization": f"Bearer {secret}", "Prefer": prefer}
        response = Client().post("/openai/v1/images/generations", fields | more, "application/json", headers=headers)
        return connection_of(response.wsgi_request).may_begin

    assert may_begin("keep-alive, wait=5")
    assert not may_begin("wait=5")
    assert not may_begin("keep-alive", n=99)
    assert not may_begin("keep-alive", stream=True)
    assert not may_begin("keep-alive, respond-async")
