"""Any value of an answer may be any JSON: an adapter returns images or raises its errors, and a row can record both.

What leaves it in another way is a 500 after a bill, without a row that knows of the bill.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.utils import timezone

from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.errors import ProviderError
from providers.gateway import responses
from providers.models import Call, Offering
from providers.offering import pricing
from providers.request import Answer, ImageRequest
from providers.routing import call_log
from providers.routing.results import CallResult
from tests.providers.adapters.answers import BFL, CALL, FAL, GEMINI, INLINE, REPLICATE, TICKET, XAI

ACCOUNTS = {"openai": XAI, "gemini": GEMINI, "bfl": BFL, "replicate": REPLICATE, "fal": FAL}
USAGE = {
    "input_tokens": 5, "input_tokens_details": {"image_tokens": 3}, "output_tokens": 9,
    "output_tokens_details": {"text_tokens": 2},
}  # fmt: skip
GOOGLE_USAGE = {
    "promptTokenCount": 5, "thoughtsTokenCount": 1, "candidatesTokenCount": 9,
    "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 3}],
}  # fmt: skip
PREDICTION = {"id": "1", "status": "succeeded", "output": [INLINE], "metrics": {"predict_time": 1.5}}
TASK = {"status": "Ready", "result": {"sample": INLINE, "seed": 7, "duration": 1.5, "start_time": 1, "end_time": 2}}
IMAGES = {"images": [{"url": INLINE}], "seed": 7, "timings": {"inference": 1.5}, "has_nsfw_concepts": [False]}
ERROR = {"error": {"message": "no", "code": "x", "type": "y"}}
# Of each adapter: answers in their order, the last one for all that follow.
ANSWERS: dict[str, list[list[tuple[int, dict[str, Any]]]]] = {
    "openai": [
        [(200, {"data": [{"b64_json": "", "url": INLINE, "revised_prompt": "x"}], "quality": "high", "usage": USAGE})],
        [(400, ERROR)],
    ],
    "gemini": [
        [(200, {
            "candidates": [{"finishReason": "STOP", "content": {"parts": [{"inlineData": {"data": INLINE}}]}}],
            "responseId": "1", "usageMetadata": GOOGLE_USAGE,
        })],
        [(200, {"candidates": [{"finishReason": "SAFETY"}], "promptFeedback": {"blockReason": "SAFETY"}})],
        [(429, {"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"reason": "x", "retryDelay": "34s"}]}})],
    ],
    "bfl": [
        [(200, {"id": "1", "polling_url": "https://bfl.test/x", "cost": 4}), (200, TASK)],
        [(200, {"id": "1", "polling_url": "https://bfl.test/x"}), (200, {"status": "Error", "details": {"x": 1}})],
    ],
    "replicate": [
        [(201, PREDICTION)],
        [(201, {"id": "1", "status": "starting", "urls": {"get": "x", "cancel": "y"}}), (200, PREDICTION)],
        [(201, {"id": "1", "status": "failed", "error": "E6716", "metrics": {"predict_time": 1.5}})],
    ],
    "fal": [
        [(200, TICKET), (200, {"status": "COMPLETED", "metrics": {"inference_time": 1.5}}), (200, IMAGES)],
        [(200, TICKET), (200, {"status": "COMPLETED"}), (422, {"detail": [{"type": "x", "loc": ["a"], "msg": "no"}]})],
    ],
}  # fmt: skip
HUGE = 10**400  # as an integer of JSON, larger than any number that a column, or a float, can hold
ODD: list[Any] = [None, True, -1, 10**15, HUGE, "x", [], {"a": {"b": 1}}, [None, 1]]
OFFERING = Offering(
    provider="openai", price=Decimal("0.04"), price_unit="image",
    price_details={"tokens": dict.fromkeys(pricing.TOKEN_KINDS, "30")},
)  # fmt: skip


class Quick(Deadline):
    """A deadline whose time passes only while an adapter waits, and then at once."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(0.5, clock=lambda: self.now)

    def sleep(self, seconds: float, doing: str, *, possibly_charged: bool = False) -> None:
        self.now += seconds
        self.check(doing, possibly_charged=possibly_charged)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document, its own among them."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return document


def ask(account: Account, answers: list[tuple[int, Any]], **headers: bytes) -> Answer | ProviderError:
    raw = [(name.encode(), value) for name, value in headers.items()]
    left = [httpx.Response(status, content=json.dumps(body), headers=raw) for status, body in answers]
    transport = httpx.MockTransport(lambda request: left.pop(0) if len(left) > 1 else left[0])
    with httpx.Client(transport=transport) as http:
        try:
            return ADAPTERS[account.adapter].generate(CALL, account=account, http=http, deadline=Quick())
        except ProviderError as error:
            return error


def check_recordable(outcome: Answer | ProviderError) -> None:
    """By the rules of the columns: lengths, digits, what JSON can hold."""
    answer, error = (None, outcome) if isinstance(outcome, ProviderError) else (outcome, None)
    result = CallResult(ImageRequest("a kite"), CALL, timezone.now(), answer=answer, error=error)
    for name, value in call_log._columns(OFFERING, result).items():
        field: Any = Call._meta.get_field(name)
        if value not in (None, "", {}):
            field.clean(value, None)


@pytest.mark.parametrize(
    ("adapter", "case"), [(adapter, case) for adapter, cases in ANSWERS.items() for case in range(len(cases))]
)
def test_no_odd_value_of_an_answer_leaves_the_adapter_in_another_way(adapter, case):
    answers = ANSWERS[adapter][case]
    assert isinstance(ask(ACCOUNTS[adapter], answers), Answer if case == 0 else ProviderError | Answer)
    for number, (status, body) in enumerate(answers):
        for path in places(body):
            for odd in ODD:
                odd_answers = [*answers[:number], (status, changed(body, path, odd)), *answers[number + 1 :]]
                try:
                    check_recordable(ask(ACCOUNTS[adapter], odd_answers))
                except Exception as failure:
                    failure.add_note(f"answer {number}, {path}: {str(odd)[:40]}")
                    raise


HEADERS = (
    "retry-after", "retry-after-ms", "x-request-id", "openai-processing-ms", "x-fal-billable-units", "x-fal-request-id",
    "x-fal-error-type", "content-type",
)  # fmt: skip
VALUES = (
    b"", b"x", b"-1", b"nan", b"inf", b"1e999", b"9" * 400,
    b"Fri, 31 Dec 9999 23:59:59 -0100", b"\xff\x7f", b"a" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("adapter", ANSWERS)
def test_no_odd_header_of_an_answer_leaves_the_adapter_in_another_way(adapter, status):
    answers = [(status, body) for _, body in ANSWERS[adapter][0]]
    for name in HEADERS:
        for value in VALUES:
            check_recordable(ask(ACCOUNTS[adapter], answers, **{name: value}))


@pytest.mark.parametrize(("one", "two"), [({"x": 1, "y": 1}, {"x": {"z": 2}, "y": 2}), ({"x": {"z": 2}}, {"x": 1})])
def test_the_tokens_of_calls_that_count_them_differently_are_added_where_they_can_be(one, two):
    assert responses._added(one, two) == one | ({"y": 3} if "y" in one else {})
