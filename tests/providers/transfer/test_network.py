"""A name server that never answers costs a request no more than a host that is down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from providers.adapters.base import new_client
from providers.errors import TimedOut
from providers.transfer import addresses, download
from providers.transfer.deadline import Deadline


@pytest.fixture
def silent(monkeypatch) -> Iterator[None]:
    """Every name server is silent until the test ends."""
    over = threading.Event()

    def ask(*_: object, **__: object) -> None:
        over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    yield
    over.set()


def test_a_request_gives_up_in_the_time_it_has_to_connect(silent):
    with new_client() as client, pytest.raises(httpx.ConnectTimeout, match="no name server answered"):
        client.get("https://api.example/", timeout=httpx.Timeout(60, connect=0.05))


def test_a_download_gives_up_within_its_deadline(silent):
    with pytest.raises(TimedOut, match="Not done within"):
        download.fetch("https://images.example/a.png", deadline=Deadline(0.05))


def test_a_name_that_does_not_exist_fails_at_once(monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror):
        addresses.resolve("nowhere.example", 443)
    with new_client() as client, pytest.raises(httpx.ConnectError, match="not known"):
        client.get("https://nowhere.example/")
