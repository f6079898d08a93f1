"""Webhooks: only what the provider signed, only now, and as often as it likes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
import warnings
from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as django_settings
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.accounts import accounts
from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.request import ProviderCall
from providers.samples.simulator.webhooks import SECRET
from providers.webhooks import views
from providers.webhooks.signatures import Forged, WebhookEvent, fal_keys, verify_fal, verify_replicate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from replicate.webhook import Webhooks, WebhookSigningSecret

NOW = 1_795_000_000
BODY = json.dumps({"request_id": "job-1", "status": "OK", "payload": {}}).encode()
FAL = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FAL_KEY = FAL.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signed_as_fal(body: bytes = BODY, at: int = NOW, key: Ed25519PrivateKey = FAL) -> dict[str, str]:
    message = f"job-1\nuser-1\n{at}\n{hashlib.sha256(body).hexdigest()}"
    return {
        "x-fal-webhook-request-id": "job-1",
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": str(at),
        "x-fal-webhook-signature": key.sign(message.encode()).hex(),
    }


PREDICTION = json.dumps({"id": "p1", "status": "succeeded"}).encode()


def signed_as_replicate(body: bytes = PREDICTION, at: int = NOW, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), f"msg_1.{at}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature}


# Verification


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_what_the_provider_signed_within_five_minutes_is_believed(seconds):
    assert verify_fal(signed_as_fal(), BODY, [bytes(32), FAL_KEY], NOW + seconds) == WebhookEvent("job-1", "OK")
    event = verify_replicate(signed_as_replicate(), PREDICTION, SECRET, NOW + seconds)
    assert event == WebhookEvent("p1", "succeeded")


def test_the_official_client_believes_what_we_believe():
    headers = signed_as_replicate()
    Webhooks.validate(
        headers=headers, body=PREDICTION.decode(), secret=WebhookSigningSecret(key=SECRET), tolerance=10**9
    )


def test_one_good_signature_among_several_is_enough():
    headers = signed_as_replicate()
    headers["webhook-signature"] = f"v2,x v1,{'A' * 44} nonsense {headers['webhook-signature']}"
    assert verify_replicate(headers, PREDICTION, SECRET, NOW).job_id == "p1"


FAL_FORGERIES: dict[str, Callable[[dict[str, str]], tuple[dict[str, str], bytes]]] = {
    "another body": lambda headers: (headers, BODY + b" "),
    "another request": lambda headers: ({**headers, "x-fal-webhook-request-id": "job-2"}, BODY),
    "another user": lambda headers: ({**headers, "x-fal-webhook-user-id": "user-2"}, BODY),
    "a later time": lambda headers: ({**headers, "x-fal-webhook-timestamp": str(NOW + 1)}, BODY),
    "old": lambda headers: (signed_as_fal(at=NOW - 301), BODY),
    "from the future": lambda headers: (signed_as_fal(at=NOW + 301), BODY),
    "another key": lambda headers: (signed_as_fal(key=Ed25519PrivateKey.generate()), BODY),
    "no hexadecimal": lambda headers: ({**headers, "x-fal-webhook-signature": "zz"}, BODY),
    "too short": lambda headers: ({**headers, "x-fal-webhook-signature": "00"}, BODY),
    "no time": lambda headers: ({**headers, "x-fal-webhook-timestamp": "²"}, BODY),
    "no headers": lambda headers: ({}, BODY),
}


@pytest.mark.parametrize("forgery", FAL_FORGERIES)
def test_a_forged_webhook_of_fal_is_refused(forgery):
    headers, body = FAL_FORGERIES[forgery](signed_as_fal())
    with pytest.raises(Forged):
        verify_fal(headers, body, [FAL_KEY], NOW)


def test_without_keys_nothing_is_believed():
    with pytest.raises(Forged):
        verify_fal(signed_as_fal(), BODY, [], NOW)
    for secret in ("", "whsec_", "whsec_é", "whsec_?"):
        with pytest.raises(Forged):
            verify_replicate(signed_as_replicate(), PREDICTION, secret, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v2," + "A" * 44},
    ],
)
def test_a_forged_webhook_of_replicate_is_refused(change):
    with pytest.raises(Forged):
        verify_replicate({**signed_as_replicate(), **change}, PREDICTION, SECRET, NOW)


def test_an_old_webhook_of_replicate_is_refused():
    with pytest.raises(Forged, match="301 s ago"):
        verify_replicate(signed_as_replicate(), PREDICTION, SECRET, NOW + 301)


@settings(max_examples=60, deadline=None, database=None)
@given(jwks=st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["keys", "x", "kty"]), x), max_leaves=8))  # fmt: skip
def test_a_strange_key_set_has_no_keys(jwks):
    assert fal_keys(jwks) == []


# The endpoint


@pytest.fixture
def expecting(settings, simulator):
    """Both providers are at the simulator, and its keys prove their webhooks."""
    settings.PROVIDERS = {
        "fal": {
            "name": "fal", "adapter": "fal", "urls": {"queue": f"{simulator.url}/fal/queue"}, "api_key": "k",
            "webhook_key": f"{simulator.url}/fal/rest/.well-known/jwks.json",
        },
        "replicate": {
            "name": "Replicate", "adapter": "replicate", "urls": {"base": f"{simulator.url}/replicate/v1"},
            "api_key": "k", "webhook_key": SECRET,
        },
        "openai": {"name": "OpenAI", "adapter": "openai", "urls": {}, "api_key": "k"},
    }  # fmt: skip
    place = f"webhook-keys:{settings.PROVIDERS['fal']['webhook_key']}"
    cache.delete_many([place, f"{place}:asked", f"{place}/nowhere:asked"])


def order(provider: str, simulator, http, webhook_url: str, prompt: str) -> str:
    """Has the adapter make an image and ask for a webhook; the job's id."""
    urls = {"fal": {"queue": f"{simulator.url}/fal/queue"}, "replicate": {"base": f"{simulator.url}/replicate/v1"}}
    account = Account(provider, provider, provider, urls[provider], (), "k", "", webhook_url, simulated=True)
    call = ProviderCall("tests/webhooks", {"prompt": prompt, "width": 64, "height": 64, "output_format": "png"})
    return ADAPTERS[provider].generate(call, account=account, http=http, deadline=Deadline(20)).provider_request_id


def eventually(question: Callable[[], object], seconds: float = 10) -> object:
    end = time.monotonic() + seconds
    while not (keys := question()) and time.monotonic() < end:
        time.sleep(0.02)
    return keys


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize("kind", ["once", "duplicate", "late:0.3"])
@pytest.mark.django_db(transaction=True)
def test_a_provider_reports_what_became_of_a_job(
    expecting, simulator, http, live_server, caplog, monkeypatch, provider, kind
):
    answers = listening(monkeypatch)
    with caplog.at_level(logging.INFO, "providers.webhooks"):
        address = f"{live_server.url}/webhooks/{provider}/"
        job_id = order(provider, simulator, http, address, f"a kite [sim:webhook={kind}]")
        count = 2 if kind == "duplicate" else 1
        assert eventually(lambda: len(answers) >= count)
    assert answers == [204] * count
    assert views.reported(provider, job_id) == {"fal": "OK", "replicate": "succeeded"}[provider]
    assert len([record for record in caplog.records if job_id in record.getMessage()]) == 1


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize("kind", ["forged", "old"])
@pytest.mark.django_db(transaction=True)
def test_a_forged_or_old_report_gets_401_and_is_not_believed(
    expecting, simulator, http, live_server, monkeypatch, provider, kind
):
    answers = listening(monkeypatch)
    address = f"{live_server.url}/webhooks/{provider}/"
    job_id = order(provider, simulator, http, address, f"a kite [sim:webhook={kind}]")
    assert eventually(lambda: answers)
    assert answers == [401]
    assert views.reported(provider, job_id) is None


def listening(monkeypatch) -> list[int]:
    """The statuses that the simulator's webhooks are answered with."""
    answers: list[int] = []
    send = httpx.Client.post

    def post(self, *args, **kwargs):
        answer = send(self, *args, **kwargs)
        answers.append(answer.status_code)
        return answer

    monkeypatch.setattr(httpx.Client, "post", post)
    return answers


def test_a_failed_job_is_reported_too(expecting, client):
    body = json.dumps({"request_id": "job-9", "status": "ERROR"}).encode()
    cache.set(f"webhook-keys:{_key_address()}", (time.time(), [FAL_KEY]))
    assert _post(client, "fal", body, signed_as_fal(body, int(time.time()))).status_code == 204
    assert views.reported("fal", "job-9") == "ERROR"


def test_a_change_of_keys_is_noticed_but_not_looked_for_at_every_forgery(expecting, client, monkeypatch):
    place = f"webhook-keys:{_key_address()}"
    fetched = []
    monkeypatch.setattr(views, "fal_keys", lambda jwks: fetched.append(jwks) or [FAL_KEY])
    cache.set(place, (time.time() - views.KEYS_MIN_AGE - 1, [bytes(32)]))
    for _ in range(3):
        assert _post(client, "fal", BODY, signed_as_fal(BODY, int(time.time()))).status_code == 204
    for _ in range(3):
        assert _post(client, "fal", BODY + b" ", signed_as_fal(BODY, int(time.time()))).status_code == 401
    assert len(fetched) == 1


def test_while_the_keys_cannot_be_had_the_provider_is_asked_to_try_again(expecting, client, settings, monkeypatch):
    settings.PROVIDERS["fal"]["webhook_key"] += "/nowhere"
    asked = []
    get = httpx.get
    monkeypatch.setattr(httpx, "get", lambda *args, **kwargs: asked.append(args) or get(*args, **kwargs))
    for _ in range(3):
        assert _post(client, "fal", BODY, signed_as_fal(BODY, int(time.time()))).status_code == 503
    assert len(asked) == 1


@pytest.mark.parametrize("provider", ["openai", "nobody"])
def test_nobody_else_has_an_address_for_webhooks(expecting, client, provider):
    assert _post(client, provider, BODY, {}).status_code == 404


def test_without_a_secret_there_is_no_address(expecting, client, settings):
    settings.PROVIDERS["replicate"]["webhook_key"] = ""
    assert _post(client, "replicate", PREDICTION, signed_as_replicate()).status_code == 404


def test_only_post(expecting, client):
    assert client.get("/webhooks/fal/").status_code == 405


def test_webhooks_are_asked_for_only_where_they_can_arrive_and_be_proven(expecting, settings):
    assert {account.webhook_url for account in accounts().values()} == {""}
    settings.WEBHOOK_URL = "https://arena.test/webhooks"
    assert accounts()["fal"].webhook_url == "https://arena.test/webhooks/fal/"
    assert accounts()["openai"].webhook_url == ""


def _post(client, provider: str, body: bytes, headers: dict[str, str]):
    return client.post(f"/webhooks/{provider}/", body, content_type="application/json", headers=headers)


def _key_address():
    return django_settings.PROVIDERS["fal"]["webhook_key"]
