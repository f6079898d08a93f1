"""HTTP clients of a process: none is shared at the same moment, the warm one goes first, idle ones are closed."""

import httpx
import pytest

from providers.adapters import clients as module
from providers.adapters.clients import IDLE, Clients


@pytest.fixture
def clients():
    clients = Clients()
    yield clients
    clients.close()


def test_a_client_has_one_user_at_a_time_and_the_last_used_one_is_used_next(clients):
    with clients.borrowed() as first:
        with clients.borrowed() as second:
            assert second is not first
        with clients.borrowed() as again:
            assert again is second
    with clients.borrowed() as latest:
        assert latest is first


def test_a_client_comes_back_from_a_call_that_failed(clients):
    with pytest.raises(httpx.ConnectError), clients.borrowed() as client:
        raise httpx.ConnectError("no route")
    with clients.borrowed() as again:
        assert again is client


def test_clients_of_a_burst_are_closed_when_they_have_been_idle(clients, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    with clients.borrowed() as busy, clients.borrowed() as spare:
        pass
    now += IDLE - 1
    with clients.borrowed() as used:
        assert used is busy
    assert not spare.is_closed

    now += 2
    with clients.borrowed():
        pass
    assert spare.is_closed
    assert not busy.is_closed


def test_close_closes_what_nobody_uses(clients):
    with clients.borrowed() as busy:
        with clients.borrowed() as spare:
            pass
        clients.close()
        assert spare.is_closed
        assert not busy.is_closed
