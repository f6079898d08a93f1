"""What a key may use, for how long, and what it shows of itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from providers.models import ApiKey

from .requests import call

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_uses_only_its_models_until_it_expires(key):
    ApiKey.objects.update(allowed_models=["gpt-image-9"])
    response = call(key)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "model_not_allowed")
    listed = Client().get("/openai/v1/models", headers={"Authorization": f"Bearer {key.secret}"}).json()
    assert [model["id"] for model in listed["data"]] == ["gpt-image-9"]
    assert call(key, model="gpt-image-9").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert call(key, model="gpt-image-9").status_code == 401


def test_a_rotated_key_is_accepted_for_its_grace_and_no_longer(key):
    new = ApiKey.objects.get().rotate(timedelta(minutes=5))
    assert call(key).status_code == 200
    old, key.secret = key.secret, new
    assert call(key).status_code == 200
    ApiKey.objects.update(previous_expires_at=timezone.now())
    key.secret = old
    assert call(key).status_code == 401


def test_a_key_shows_its_own_limits_and_spending(key):
    ApiKey.objects.update(monthly_budget=1)
    call(key)
    answer = Client().get("/openai/v1/key", headers={"Authorization": f"Bearer {key.secret}"}).json()
    assert answer["month"] == {"budget": 1.0, "spent": 0.01, "remaining": 0.99}
    assert answer["day"] == {"budget": None, "spent": 0.01, "remaining": None}
    assert key.secret not in json.dumps(answer)


def test_every_response_to_a_key_has_request_id_and_rate_limit(key):
    ApiKey.objects.update(monthly_budget="0.01")
    for response in (call(key), call(key, n=0), call(key, model="nothing"), call(key)):
        assert response["x-request-id"].startswith("req_")
        assert int(response["x-ratelimit-remaining-requests"]) >= 0
    assert response.status_code == 402
    key, secret = ApiKey.make("of two a minute", requests_per_minute=2)
    key.secret = secret
    for path, status in (("models", 200), ("key", 200), ("models/nothing", 404), ("images/jobs/job_1", 404)):
        response = call(key, path, "GET")
        assert (response.status_code, response["x-ratelimit-limit-requests"]) == (status, "2")
    assert response["x-ratelimit-remaining-requests"] == "2"  # what makes nothing does not count
    for path, method, status in (("nothing", "GET", 404), ("models", "POST", 405), ("images/edits", "DELETE", 405)):
        response = call(key, path, method)
        assert (response.status_code, response["x-ratelimit-remaining-requests"]) == (status, "2")
    key.secret = "ia_unknown"
    assert "x-ratelimit-limit-requests" not in call(key, "nothing", "GET")
