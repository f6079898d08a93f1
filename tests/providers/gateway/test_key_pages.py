"""The pages of keys: made and revoked by staff, each with a log of its own."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from providers.models import ApiKey, GatewayRequest

from .conftest import offered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated", "model")]


@pytest.fixture
def model(simulated):
    return offered("sample-a")


def test_staff_make_keys_that_are_shown_once_and_revoke_them(client, admin_client):
    assert client.get("/api/keys/").status_code == 302
    form = {"name": "Team", "monthly_budget": "20", "response_format": "b64_json", "allowed_models": "sample-a"}
    page = admin_client.post("/api/keys/", form).content.decode()
    secret = re.search(r"ia_[0-9a-f]{8}\.[\w-]{43}", page)[0]
    key = ApiKey.objects.get()
    assert key.digest == ApiKey.digest_of(secret)
    assert (key.allowed_models, key.daily_budget) == (["sample-a"], None)
    assert secret not in admin_client.get("/api/keys/").content.decode()
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/openai/v1/models", headers=headers).status_code == 200
    admin_client.post(f"/api/keys/{key.pk}/revoke/")
    assert client.get("/openai/v1/models", headers=headers).status_code == 401
    log = f"/api/log/?key={key.prefix}"  # of a revoked key it is read most of all
    assert f'href="{log}"' in admin_client.get("/api/keys/").content.decode()
    assert key.name in admin_client.get(log).content.decode()
    assert admin_client.post("/api/keys/", {"name": ""}).status_code == 400
    unknown = admin_client.post("/api/keys/", form | {"allowed_models": "nothing"})
    assert "There is no model" in unknown.content.decode()


def test_staff_see_keys_only_with_the_permission_for_it(client):
    """One URL after the other: a visitor is led to the login, staff without the permission get 403."""
    key, _ = ApiKey.make("theirs")
    urls = {
        "/api/keys/": ("get", "view_apikey"),
        f"/api/keys/{key.pk}/revoke/": ("post", "change_apikey"),
        f"/api/keys/{key.pk}/rotate/": ("post", "change_apikey"),
        f"/api/log/?key={key.prefix}": ("get", "view_gatewayrequest"),
    }
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    for url, (method, _) in urls.items():
        if "log" not in url:
            assert getattr(Client(), method)(url)["Location"].startswith("/admin/login/")
        assert getattr(client, method)(url).status_code == 403, url
    key.refresh_from_db()
    assert key.revoked_at is None
    staff.user_permissions.set(Permission.objects.filter(codename__in=[name for _, name in urls.values()]))
    assert client.get("/api/keys/").status_code == 200
    assert client.post("/api/keys/", {"name": "Mine"}).status_code == 403  # seeing is not making
    assert "ia_" in client.post(f"/api/keys/{key.pk}/rotate/").content.decode()


def test_a_key_opens_its_own_log_and_no_other(client):
    key, secret = ApiKey.make("mine")
    _, other = ApiKey.make("theirs")
    GatewayRequest.objects.create(
        api_key=key, mode="edit", model="=cmd()", status="failed", error="It failed", error_code="provider_timeout",
        http_status=504, duration=timedelta(seconds=1.5), cost=Decimal("0.01"), fingerprint="0" * 64,
    )  # fmt: skip
    page = client.post("/api/log/", {"key": secret}).content.decode()
    assert "1500 ms" in page
    assert "provider_timeout" in page
    table = b"".join(client.post("/api/log/", {"key": secret, "as": "csv"}).streaming_content).decode()
    assert "'=cmd()" in table  # no spreadsheet runs it
    assert "1500.0" in table
    assert "No requests yet" in client.post("/api/log/", {"key": other}).content.decode()
    assert client.post("/api/log/", {"key": "ia_wrong"}).status_code == 401
    assert client.get(f"/api/log/?key={key.prefix}").content.decode().count("1500") == 0
    client.force_login(User.objects.create_superuser("root"))
    assert "1500 ms" in client.get(f"/api/log/?key={key.prefix}").content.decode()


def test_the_reference_names_every_parameter_and_every_model(client):
    page = client.get("/api/").content.decode()
    for name in ("output_compression", "sample-a", "all_providers_failed", "x-arena-cost", "invalid_form"):
        assert f"{name}</code>" in page or name in page
    assert "`" not in page  # the texts are shown as they are
