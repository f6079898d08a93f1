"""An image that was paid for is found wherever it stands in an answer, however it is encoded."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import httpx
import pytest

from providers.adapters import ADAPTERS
from providers.adapters.base import Deadline
from tests.providers.adapters.answers import BFL, CALL, FAL, GEMINI, INLINE, REPLICATE, TICKET, XAI, answering

PLAIN = INLINE.partition(",")[2]


WRAPPED = "\r\n".join(PLAIN[at : at + 76] for at in range(0, len(PLAIN), 76))


ODD_RESULTS = {
    "openai": [
        {"data": [{"b64_json": "", "url": INLINE}]},
        {"data": [{"b64_json": None, "url": INLINE}]},
        {"data": [{"b64_json": INLINE}]},
        {"data": [{"b64_json": WRAPPED}]},
        {"data": [{"b64_json": PLAIN.rstrip("=").replace("+", "-").replace("/", "_")}]},
        {"data": [INLINE]},
        {"data": {"b64_json": PLAIN}},
        {"images": [{"image_url": {"url": INLINE}}]},
        {"data": [{"b64_json": "not an image at all!"}, {"b64_json": PLAIN}]},  # one of two is broken
        {"choices": [{"message": {"content": "", "images": [{"image_url": {"url": INLINE}}]}}]},
    ],
    "gemini": [
        {"candidates": [{"content": {"parts": [{"inline_data": {"mime_type": "image/png", "data": PLAIN}}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "Here:"}, {"text": INLINE}]}}]},
        {"candidates": [{"content": {"parts": [{"fileData": {"fileUri": INLINE}}]}}]},
        {"candidates": [{"content": {"parts": [{"thought": True, "inlineData": {"data": WRAPPED}}]}}]},
        {"candidates": [{"finishReason": "STOP", "content": {"parts": [{"inlineData": {"data": f" {PLAIN}\n"}}]}}]},
    ],
    "bfl": [
        {"status": "Ready", "result": {"sample": INLINE}},
        {"status": "Ready", "result": {"sample": WRAPPED}},
        {"status": "Ready", "result": {"samples": [INLINE]}},
        {"status": "Ready", "result": INLINE},
        {"status": "Ready", "result": {"images": [{"base64": PLAIN}]}},
    ],
    "replicate": [
        {"id": "1", "status": "succeeded", "output": INLINE},
        {"id": "1", "status": "succeeded", "output": [{"url": INLINE}]},
        {"id": "1", "status": "succeeded", "output": {"image": INLINE}},
        {"id": "1", "status": "succeeded", "output": {"images": [INLINE]}},
        {"status": "succeeded", "output": [WRAPPED]},  # no id: it is there all the same
    ],
    "fal": [
        {"images": [{"url": INLINE}]},
        {"image": {"url": INLINE}},
        {"images": [INLINE]},
        {"image": INLINE},
        {"output": {"url": INLINE}},
        {"images": [{"content": WRAPPED, "file_data": PLAIN}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("adapter", "body"), [(adapter, body) for adapter, bodies in ODD_RESULTS.items() for body in bodies]
)
def test_an_image_that_was_paid_for_is_found_wherever_it_stands(adapter, body):
    account = {"openai": XAI, "gemini": GEMINI, "bfl": BFL, "replicate": REPLICATE, "fal": FAL}[adapter]
    before = {"bfl": [{"id": "1", "polling_url": "https://bfl.test/x"}], "fal": [TICKET, {"status": "COMPLETED"}]}
    replies = [httpx.Response(200, json=reply) for reply in [*before.get(adapter, []), body]]
    with answering(*replies) as http:
        (image,) = ADAPTERS[adapter].generate(CALL, account=account, http=http, deadline=Deadline(5)).images
    assert (image.width, image.height) == (96, 64)
    assert not image.encoded or base64.b64decode(image.encoded, validate=True) == image.data


def test_what_the_answer_says_about_the_image_comes_along_without_secrets():
    body = {
        "quality": "high", "background": "opaque", "size": 7,
        "data": [{"b64_json": PLAIN, "revised_prompt": "a red kite\x00 for sk-abcdefghijkl"}],
        "usage": {
            "total_tokens": 5, "note\x00": "text", "nested": {"image_tokens": 4, "x": [1]}, "bad": float("inf"),
            "sk-abc123def456": 6, "nested_too": {"sk-abc123def456": 7},
        },
    }  # fmt: skip
    reply = httpx.Response(200, content=json.dumps(body), headers={"x-request-id": "req_1\x7f"})
    with answering(reply) as http:
        answer = ADAPTERS["openai"].generate(CALL, account=XAI, http=http, deadline=Deadline(5))
    assert answer.images[0].facts == {
        "quality": "high", "background": "opaque", "revised_prompt": "a red kite for [redacted]",
    }  # fmt: skip
    assert answer.usage == {"total_tokens": 5, "nested": {"image_tokens": 4}}
    assert answer.provider_request_id == "req_1"


def test_an_image_of_a_stream_arrives_whatever_fails_beside_it():
    """Volcengine reports an image that it withholds as an event of its own, between those of the others."""
    events = [
        {"type": "image_generation.completed", "b64_json": PLAIN},
        {"type": "image_generation.partial_failed", "error": {"code": "OutputImageSensitiveContentDetected"}},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    reply = httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)
    call = replace(CALL, on_partial=lambda image: None, partial_images=1)
    with answering(reply) as http:
        answer = ADAPTERS["openai"].generate(call, account=XAI, http=http, deadline=Deadline(5))
    assert [(image.width, image.height) for image in answer.images] == [(96, 64)]
