"""Bodies of JSON: what is small to send must not be large, or slow, to read."""

from __future__ import annotations

import json

import pytest

from providers.gateway import wire
from providers.gateway.errors import ApiError


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": [' + b"[]," * 50_000 + b"[]]}", "more than 100,000 values"),
        (b'{"a": {' + b",".join(b'"%d":{}' % n for n in range(60_000)) + b"}}", "more than 100,000 values"),
        (json.dumps(dict.fromkeys(map(str, range(1_001)), 1)).encode(), "more than 1,000 parameters"),
    ],
)
def test_a_body_that_is_dear_to_read_is_an_error_that_says_so(body, message):
    with pytest.raises(ApiError, match=message) as caught:
        wire.read_json(body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


def test_images_and_long_texts_are_no_values():
    body = {"prompt": "," * wire.MAX_PROMPT, "image": ["data:image/png;base64," + "A" * 100_000] * 16, "strength": 0.5}
    assert wire.read_json(json.dumps(body).encode()) == body
