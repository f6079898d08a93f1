"""A provider that echoes our key, asked for real: what is stored of its error, and what the admin shows to whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth.models import Permission, User

from providers import routing
from providers.errors import ProviderError
from providers.models import Call
from providers.request import ImageRequest
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-op3ratorS3cret-ABCDEFghij1234567890wxyz"
MARK = "the flux capacitor is misaligned"
HEADERS = ("Authorization", "x-key", "x-goog-api-key")


@pytest.fixture
def hostile(settings) -> Iterator[dict[str, int]]:
    """A server that answers every request with the status in `state` and the key it was sent."""
    state = {"status": 401}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = next(value for name in HEADERS if (value := self.headers.get(name)))
            text = f"{MARK}\x00: Incorrect key {sent} ({KEY[:8]}****{KEY[-4:]}) in organization org-AbC123dEf"
            body = json.dumps({"error": {"message": text}, "detail": text}).encode()
            self.send_response(state["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings.ALLOW_LOOPBACK_PROVIDERS = True
    settings.PROVIDERS = {
        adapter: {
            "name": adapter.title(), "adapter": adapter, "api_key": KEY,
            "urls": {"run": url} if adapter == "fal" else {"base": url},
        }
        for adapter in ("fal", "replicate", "openai", "bfl", "gemini")
    }  # fmt: skip
    yield state
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "quoted"), [(401, False), (429, False), (500, False), (422, True)])
@pytest.mark.parametrize("adapter", ["fal", "replicate", "openai", "bfl", "gemini"])
def test_what_is_stored_of_an_error_holds_no_secret_and_the_providers_text_for_staff(hostile, adapter, status, quoted):
    hostile["status"] = status
    model = make.make_model()
    make.make_offering(model, adapter, endpoint="owner/model")
    with pytest.raises(ProviderError) as caught:
        routing.generate(model, ImageRequest(prompt="a kite"), "gateway", time_limit=5)
    calls = list(Call.objects.all())
    assert calls  # a 429 is tried again while there is time
    stored = json.dumps([*map(str, Call.objects.values_list()), *map(str, caught.value.attempts)])
    for secret in (KEY, KEY[3:15], KEY[-4:], "org-AbC"):
        assert secret not in stored
    for call, attempt in zip(calls, caught.value.attempts, strict=True):
        assert call.error == str(caught.value) == attempt.error
        assert (MARK in call.error) is quoted
        assert MARK in call.detail


def test_the_providers_text_is_shown_on_the_calls_own_page_and_only_with_the_right(client):
    call = make.make_call(outcome="provider_error", error="X failed to make the image.", detail=MARK)
    staff = User.objects.create_user("curator", is_staff=True)
    client.force_login(staff)
    page, rows = f"/admin/providers/call/{call.pk}/change/", "/admin/providers/call/"
    assert client.get(page).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_call"))
    assert MARK in client.get(page).text
    assert MARK not in client.get(rows).text
