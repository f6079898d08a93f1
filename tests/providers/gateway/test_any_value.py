"""Whatever a client sends ends in an image or in an error that says what to change."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from providers.gateway import jobs, wire
from providers.models import GatewayRequest

pytestmark = pytest.mark.django_db(transaction=True)


ODD = st.text(alphabet=st.sampled_from(["\x00", "\ud800", "\n", "=", "'", "é", "🪁", "a", " ", ":", "x", "1", "."]))


NUMBERS = st.sampled_from([-1, 0, 1.5, 2**63 - 1, 2**63, 10**40, 1e-320, 1e308, "1e400", True, "NaN", "Infinity", "٣"])


PREFERENCE = st.sampled_from(["only", "order", "ignore", "allow_fallbacks", "max_price", "sort", "image"])


VALUES = st.one_of(
    ODD,
    NUMBERS,
    st.text(min_size=41, max_size=300),
    st.lists(st.one_of(ODD, NUMBERS), max_size=2),
    st.dictionaries(st.one_of(ODD, PREFERENCE), st.one_of(ODD, NUMBERS, st.lists(ODD, max_size=2))),
    st.builds(json.loads, st.sampled_from([depth * "[" + depth * "]" for depth in (30, 31, 300, 900)])),
)


NAMES = st.sampled_from([*wire.PARAMETERS, "user", "provider", "quality", "background", "style", "width", "odd\x00"])


@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True, deadline=None
)
@given(
    fields=st.dictionaries(NAMES, VALUES, min_size=1, max_size=2),
    idempotency_key=st.sampled_from(["", "k" * 255, "ключ"]),
    headers=st.fixed_dictionaries(
        {}, optional={"Prefer": st.just("respond-async"), "X-Stainless-Retry-Count": st.sampled_from(["1", "-1", "x"])}
    ),
    path=st.sampled_from(["images/generations", "responses"]),
)
def test_no_value_ends_in_an_internal_error(key, fields, idempotency_key, headers, path):
    plain = {"model": "sample-one", "prompt": "A kite", "size": "64x64"}
    if path == "responses":
        body = json.dumps(
            {"model": "sample-one", "input": "A kite"} | {"tools": [{"type": "image_generation"} | fields]}
        )
    else:
        body = json.dumps(plain | fields)
    headers |= {"Authorization": f"Bearer {key.secret}"}
    if idempotency_key:
        headers["Idempotency-Key"] = f"{idempotency_key[:200]}{abs(hash(body))}"
    response = Client().generic("POST", f"/openai/v1/{path}", body, "application/json", headers=headers)
    content = b"".join(response) if response.streaming else response.content
    response.close()
    assert response.status_code in (200, 202, 400, 404, 415, 422), content
    for pk in jobs.take_due():
        jobs.run(pk)
    assert not GatewayRequest.objects.filter(http_status__gte=500).exists()
    assert not GatewayRequest.objects.filter(status="running").exists()


@pytest.mark.parametrize("name", ["strength", "num_pics", "width", "upscale_factor", "user"])
def test_no_number_is_too_large(key, name):
    body = json.dumps({"model": "sample-one", "prompt": "A kite", "size": "64x64", name: 10**400})
    headers = {"Authorization": f"Bearer {key.secret}"}
    response = Client().generic("POST", "/openai/v1/images/generations", body, "application/json", headers=headers)
    response.close()
    assert response.status_code in (200, 400), response.content
