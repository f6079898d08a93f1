"""A provider that echoes the operator's key, hosts and organisations: none of it leaves through any exit."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers.gateway import job_webhooks, jobs
from providers.models import ApiKey, Call, GatewayRequest, Trial
from providers.playground import trials
from tests import factories as make
from tests.webhook_receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-operatorsecret-ABCDEFGHIJKLMNOP1234"
SPELLINGS = (  # as proxies quote what they were sent
    base64.b64encode(f"api:{SECRET}".encode()).decode()[8:-4],
    base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "".join(f"%{letter:02X}" for letter in SECRET.encode()),
    SECRET.encode().hex(),
    SECRET[:12],
    SECRET,
)
TELLTALES = (*SPELLINGS, "db.internal.example", "hunter2", "org-OPERATOR7")


class Echo(BaseHTTPRequestHandler):
    status = 401

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        message = (
            f"Incorrect API key provided: {self.headers['Authorization']}. In organization org-OPERATOR7; "
            "postgres://user:hunter2@db.internal.example/ failed. Sent: "
            f"{json.dumps({'headers': [{'authorization': json.dumps(SECRET)}]})}; https://x.test/v1?u=1&k={SECRET}; "
            + ", ".join(SPELLINGS)
            + f"; basic {base64.b64encode(f'api:{SECRET}'.encode()).decode()}."
        )
        error = {"message": message, "type": SECRET, "code": SECRET, "param": SECRET}
        body = json.dumps({"error": error, SECRET: [{"nested": {"key": SECRET}}]}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-request-id", SECRET)
        self.send_header("www-authenticate", f'Bearer realm="{SECRET}"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def provider(settings) -> Iterator[type[Echo]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ALLOW_LOOPBACK_PROVIDERS = True
    settings.PROVIDERS = {
        "echo": settings.PROVIDERS["openai"]
        | {
            "name": "Echo",
            "urls": {"base": f"http://127.0.0.1:{server.server_address[1]}/v1"},
            "api_key": SECRET,
            "simulated": False,
        }
    }
    make.make_offering(make.make_model("sample-one"), "echo", price="0.01")
    yield Echo
    server.shutdown()
    server.server_close()


def _asynchronous(fields: dict[str, str], headers: dict[str, str]) -> tuple[str, str]:
    """(what the client reads of a job that failed, what its webhook was sent)"""
    with receiving() as receiver:
        accepted = Client().post(
            "/openai/v1/images/generations", fields | {"prompt": "A third", "webhook_url": receiver.url},
            "application/json", headers=headers | {"Prefer": "respond-async"},
        )  # fmt: skip
        jobs.run(*jobs.take_due())
        assert [job_webhooks.send(*due) for due in job_webhooks.take_due()] == [True]
        ((_, body),) = receiver.requests
    job = Client().get(f"/openai/v1/images/jobs/{accepted.json()['id']}", headers=headers)
    assert job.json()["status"] == "failed"
    return job.content.decode(), body.decode()


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_no_exit_shows_what_a_provider_echoes(provider, status):
    provider.status = status
    _, secret = ApiKey.make("test")
    headers = {"Authorization": f"Bearer {secret}"}
    fields = {"model": "sample-one", "prompt": "A kite", "response_format": "b64_json"}
    plain = Client().post("/openai/v1/images/generations", fields, "application/json", headers=headers)
    assert plain.status_code >= 400
    streamed = Client().post(
        "/openai/v1/images/generations", fields | {"stream": True, "prompt": "Another"}, "application/json",
        headers=headers,
    )  # fmt: skip
    stream = b"".join(streamed.streaming_content).decode()
    assert "error" in stream
    visitor = Client()
    form = {"prompt": "A kite", "model": ["sample-one"], "size": "1:1", "action": "generate", "key": secret}
    url = visitor.post("/playground/", form)["Location"]
    for pk in trials.take_due():
        trials.run(pk)
    job, delivery = _asynchronous(fields, headers)
    staff = Client()
    staff.force_login(User.objects.create_superuser("boss"))
    exits = {
        "asynchronous job": job,
        "its webhook": delivery,
        "admin": "".join(
            staff.get(f"/admin/providers/{model}/").content.decode() for model in ("gatewayrequest", "call")
        ),
        "body and attempts": plain.content.decode(),
        "headers": str(plain.headers),
        "stream": stream,
        "playground": visitor.get(url).content.decode(),
        "log page": Client().post("/api/log/", {"key": secret}).content.decode(),
        "CSV": b"".join(Client().post("/api/log/", {"key": secret, "as": "csv"}).streaming_content).decode(),
        "rows": str([*GatewayRequest.objects.values("error", "answer"), *Trial.objects.values("error")]),
        "calls": str(list(Call.objects.values("error"))),
    }
    assert Trial.objects.get().status == "failed"
    if status == 400:  # the caller's fault: the provider's own words help, without what is secret in them
        telltales = SPELLINGS
    else:
        telltales = TELLTALES
    leaks = {(name, text) for name, content in exits.items() for text in telltales if text in content}
    assert not leaks
