"""Any number of OpenAI-compatible providers in one variable; a mistake in it is named, not guessed around."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from config.named_providers import openai_compatible
from providers.adapters import ADAPTERS
from providers.adapters.base import NO_KEY, Account, Deadline
from providers.errors import Unauthorised
from providers.request import ProviderCall


def read(text: str, environment: dict[str, str] | None = None, *, allow_loopback: bool = True):
    return openai_compatible(text, environment or {}, taken=("openai", "fal"), allow_loopback=allow_loopback)


def test_each_has_its_name_its_url_and_its_key():
    text = "lumenfall=https://api.lumenfall.ai/openai/v1/, my-server=http://127.0.0.1:8080/v1"
    providers = read(text, {"LUMENFALL_API_KEY": "lmnfl_1.2", "MY_SERVER_API_KEY": " none "})
    assert providers == {
        "lumenfall": {
            "name": "Lumenfall", "adapter": "openai", "urls": {"base": "https://api.lumenfall.ai/openai/v1"},
            "api_key": "lmnfl_1.2",
        },
        "my-server": {
            "name": "My server", "adapter": "openai", "urls": {"base": "http://127.0.0.1:8080/v1"}, "api_key": NO_KEY,
        },
    }  # fmt: skip


def test_without_a_key_it_is_known_but_not_called():
    assert read("lumenfall=https://api.lumenfall.ai/openai/v1")["lumenfall"]["api_key"] == ""
    assert read("") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lumenfall", "write name=URL"),
        ("https://api.lumenfall.ai/v1", "write name=URL"),
        ("Lumenfall=https://x.test/v1", "lower-case"),
        ("a--b=https://x.test/v1", "single hyphens"),
        ("openai=https://x.test/v1", "is taken"),
        ("simulated-x=https://x.test/v1", "is taken"),
        ("a=https://x.test/v1 a=https://y.test/v1", "is taken"),
        ("a=", "begins with https"),
        ("a=ftp://x.test/v1", "begins with https"),
        ("a=https://", "begins with https"),
        ("a=https://x.test:port/v1", "broken"),
        ("a=https://[::1/v1", "broken"),
        ("a=https://key@x.test/v1", "its own variable"),
        ("a=https://x.test/v1?key=1", "its own variable"),
        ("a=http://x.test/v1", "in clear"),
        ("a=http://10.0.0.7:8080/v1", "in clear"),
    ],
)
def test_a_mistake_is_named_with_what_to_write_instead(text, says):
    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        read(text)
    assert "OPENAI_COMPATIBLE_PROVIDERS" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@x.test/v1",
        "hunter2",
        "Hunter2=https://x.test/v1",
        "a=https://me:hunter2@x.test/v1",
        "a=https://x.test/v1?key=hunter2",
        "a=https://me:hun/ter2@x.test/v1",
        "a=http://hunter2.x.test/v1",
        "a=hunter2",
        "a=https://x.test/v1 a=https://hunter2@x.test/v1",
    ],
)
def test_a_mistake_does_not_print_what_may_be_a_password(text):
    with pytest.raises(ImproperlyConfigured) as caught:
        read(text)
    assert not re.search("hunter2|ter2|hun/", str(caught.value), re.IGNORECASE)


def test_a_private_network_is_for_providers_that_are_named():
    text = "gpu=http://10.0.0.7:8080/v1 other=http://gpu-box:8080/v1"
    with pytest.raises(ImproperlyConfigured, match="PRIVATE_NETWORK_PROVIDERS"):
        openai_compatible(text, {}, taken=(), allow_loopback=False, private=["gpu"])
    assert len(openai_compatible(text, {}, taken=(), allow_loopback=False, private=["gpu", "other"])) == 2
    account = Account("gpu", "GPU", "openai", {"base": "http://10.0.0.7:8080/v1"}, api_key="k")
    assert not account.owns("http://10.0.0.7:8080/v1/images/generations")
    assert replace(account, allow_private=True).owns("http://10.0.0.7:8080/v1/images/generations")
    assert not replace(account, allow_private=True).owns("http://10.0.0.8:8080/v1/images/generations")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_has_to_be_allowed(host):
    with pytest.raises(ImproperlyConfigured, match="ALLOW_LOOPBACK_PROVIDERS=1"):
        read(f"local=http://{host}:8080/v1", allow_loopback=False)
    assert read(f"local=http://{host}:8080/v1")


@pytest.mark.parametrize(("key", "sent"), [("sk-1", "Bearer sk-1"), (NO_KEY, None)])
def test_a_server_that_wants_no_key_is_sent_none(key, sent):
    seen: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401)

    account = Account("local", "Local", "openai", {"base": "https://x.test/v1"}, api_key=key)
    with httpx.Client(transport=httpx.MockTransport(refuse)) as http, pytest.raises(Unauthorised):
        ADAPTERS["openai"].generate(ProviderCall("m", {}), account=account, http=http, deadline=Deadline(5))
    assert seen[0].headers.get("authorization") == sent


@pytest.mark.processes
def test_the_settings_know_them():
    program = (
        "import django; django.setup()\n"
        "from providers.accounts import accounts\n"
        "account = accounts()['lumenfall']\n"
        "print(account.adapter, account.urls['base'], account.owns('https://api.lumenfall.ai/openai/v1/images/edits'))"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings", "LUMENFALL_API_KEY": "k",
        "OPENAI_COMPATIBLE_PROVIDERS": "lumenfall=https://api.lumenfall.ai/openai/v1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "openai https://api.lumenfall.ai/openai/v1 True\n", done.stderr
