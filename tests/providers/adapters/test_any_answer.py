"""Whatever a provider answers, an adapter returns images or raises an error of a provider, nothing else."""

from __future__ import annotations

import contextlib
import json

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.errors import (
    ProviderError,
)
from tests.providers.adapters.answers import BFL, CALL, INLINE

KEYS = [
    "images", "image", "url", "has_nsfw_concepts", "timings", "inference", "detail", "loc", "type", "msg", "seed",
    "error", "error_type", "code", "message", "status", "id", "output", "metrics", "predict_time", "urls", "get",
    "data", "b64_json", "started_at", "result", "sample", "cost", "details", "start_time", "end_time", "duration",
    "candidates", "content", "parts", "inlineData", "thought", "text", "finishReason", "promptFeedback", "blockReason",
    "usageMetadata", "retryDelay", "reason",
]  # fmt: skip


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(
        ["succeeded", "failed", "canceled", "COMPLETED", "Ready", "Error", "data:image/png;base64,AAAA", "https://"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@example(status=422, body={"detail": [{"loc": 5, "msg": {}, "type": []}], "error_type": {}}, header="²")
@example(status=200, body={"images": [{"url": INLINE}], "timings": {"inference": 1e308}, "seed": []}, header="1e999")
@example(status=200, body={"data": [{"b64_json": "é"}]}, header="-1")
@example(status=201, body={"status": ["succeeded"], "id": 1, "output": 5, "urls": 7, "metrics": 3}, header="")
@example(
    status=201, body={"status": "succeeded", "id": 1, "output": INLINE, "metrics": {"predict_time": -1}}, header=""
)
@example(status=201, body={"status": "starting", "id": {}, "urls": {"get": 5}}, header="")
@example(status=201, body={"status": "failed", "id": "1", "error": {"a": 1}}, header="")
@example(status=200, body={"candidates": [{"content": {"parts": [{"text": {}}, 3]}, "finishReason": []}]}, header="")
@example(status=429, body={"error": {"details": [{"retryDelay": {}}, 5]}}, header="")
@settings(max_examples=60, deadline=None, database=None)
@given(
    status=st.sampled_from([200, 200, 200, 201, 202, 204, 302, 400, 403, 422, 429, 499, 500, 504]),
    body=JSON | st.binary(max_size=20),
    header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=6),
)
@pytest.mark.parametrize("adapter", ["fal", "replicate", "openai", "bfl", "gemini"])
def test_whatever_a_provider_answers_only_a_provider_error_comes_out(adapter, status, body, header):
    names = ["retry-after", "retry-after-ms", "x-fal-billable-units", "openai-processing-ms", "x-fal-error-type"]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = httpx.Response(status, content=content, headers=[(n.encode(), header.encode("latin-1")) for n in names])
    account = Account("x", "X", adapter, {"run": "https://x.test", "base": "https://x.test"}, api_key="k")
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply)) as http, contextlib.suppress(ProviderError):
        ADAPTERS[adapter].generate(CALL, account=account, http=http, deadline=Deadline(1))


@example(task={"status": "Ready", "result": {"sample": INLINE, "duration": {}, "start_time": True}, "cost": "Infinity"})
@example(task={"status": ["Ready"], "details": {}})
@example(task={"status": "Ready", "result": {"sample": INLINE, "duration": float("inf")}, "cost": float("inf")})
@settings(max_examples=60, deadline=None, database=None)
@given(task=JSON)
def test_whatever_a_task_of_black_forest_labs_becomes_only_a_provider_error_comes_out(task):
    """A task that is not understood is polled on: it comes twice, and fails then."""
    replies = iter([{"id": [], "polling_url": "https://bfl.test/x", "cost": {}}, task, task])
    with (
        httpx.Client(
            transport=httpx.MockTransport(
                lambda _: httpx.Response(200, content=json.dumps(next(replies, {"status": "Error"})))
            )
        ) as http,
        contextlib.suppress(ProviderError),
    ):
        ADAPTERS["bfl"].generate(CALL, account=BFL, http=http, deadline=Deadline(30))
