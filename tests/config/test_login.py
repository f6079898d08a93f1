"""Guessing passwords of the admin is slowed down, and shows in the log."""

from __future__ import annotations

import secrets

import pytest
from django.contrib.auth.models import User

from config import login

pytestmark = pytest.mark.django_db
URL = "/admin/login/"


@pytest.fixture
def name(settings) -> str:
    """A user of this test alone, and a network of its own: counters outlive a test in Valkey."""
    settings.TRUSTED_PROXY_HOPS = 1
    name = f"boss-{secrets.token_hex(6)}"
    User.objects.create_superuser(name, password="the right password")
    return name


def attempt(client, name: str, password: str, network: str):
    return client.post(URL, {"username": name, "password": password}, headers={"x-forwarded-for": network})


def network() -> str:
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(client, name, caplog):
    here = network()
    for _ in range(login.LIMIT):
        assert attempt(client, name, "wrong", here).status_code == 200
    reply = attempt(client, name, "the right password", here)
    assert (reply.status_code, reply["Retry-After"]) == (429, "900")
    assert "_auth_user_id" not in client.session
    assert [record.levelname for record in caplog.records if "wrong passwords" in record.getMessage()] == ["WARNING"]
    assert "wrong password" in reply.content.decode()
    assert attempt(client, name, "the right password", network()).status_code == 302  # from elsewhere it is open


def test_a_right_password_resets_the_count(client, name):
    here = network()
    for _ in range(3):
        for _ in range(login.LIMIT - 1):
            attempt(client, name, "wrong", here)
        assert attempt(client, name, "the right password", here).status_code == 302


def test_a_name_is_guarded_also_against_many_networks(client, name):
    for _ in range(login.LIMIT_OF_NAME):
        assert attempt(client, name, "wrong", network()).status_code == 200
    assert attempt(client, name.upper(), "the right password", network()).status_code == 429
