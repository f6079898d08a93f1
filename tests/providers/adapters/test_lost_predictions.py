"""Replicate lists predictions: one whose first answer is lost is found by its seed, and not bought again."""

from __future__ import annotations

import httpx
import pytest

from providers.adapters import ADAPTERS, replicate
from providers.adapters.base import Deadline
from providers.errors import AnswerLost, InvalidRequest, ProviderError
from providers.request import ProviderCall

from .answers import REPLICATE

CALL = ProviderCall("owner/model", {"prompt": "a kite"}, spare_seed="seed")


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(replicate, "LOOKS", (0.02, 0.02, 0.02))


@pytest.mark.parametrize("scenario", ["reset", "cut", "html"])
def test_it_is_found(line_to, scenario):
    line = line_to("replicate")
    line.ask("a kite", endpoint=f"tests/lost-{scenario}")  # of somebody else, and not taken
    submitted = []
    arguments = {"prompt": f"a kite [sim:{scenario}]", "width": 64, "height": 64}
    call = ProviderCall(line.endpoint, arguments, spare_seed="seed", on_submitted=submitted.append)
    answer = ADAPTERS["replicate"].generate(call, account=line.account, http=line.http, deadline=Deadline(20))
    (image,) = answer.images
    assert (image.width, image.height, answer.ttfb) == (64, 64, None)
    assert isinstance(answer.seed, int)  # so that a caller can have the image once more
    assert submitted[0]["get"].endswith(answer.provider_request_id)
    assert (line.journal["asked"], line.journal["created"]) == (2, 2)


def failure(call: ProviderCall, submit: httpx.Response | None, listed: httpx.Response) -> tuple[ProviderError, int]:
    """What a call fails with whose submission has this answer, or none; and how often the list was looked at."""
    looks = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.method == "GET":
            assert request.url.path == "/v1/predictions"
            looks += 1
            return listed
        if submit is None:
            raise httpx.ReadError("reset")
        return submit

    with httpx.Client(transport=httpx.MockTransport(answer)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS["replicate"].generate(call, account=REPLICATE, http=http, deadline=Deadline(5))
    return caught.value, looks


def row(**fields) -> httpx.Response:
    prediction = {"id": "1", "status": "succeeded", "model": "owner/model", "output": ["https://x.test/1.png"]}
    return httpx.Response(200, json={"results": [prediction | fields]})


@pytest.mark.parametrize(
    "listed",
    [
        row(input={"prompt": "a kite", "seed": 7}),  # another caller's, of the same prompt
        row(input={"prompt": "a kite"}),
        row(input=None),
        httpx.Response(200, json={"results": None}),
        httpx.Response(200, json=["odd"]),
        httpx.Response(503, text="<html>"),
    ],
)
def test_nobody_elses_is_taken(listed):
    error, looks = failure(CALL, None, listed)
    assert (type(error), error.possibly_charged, looks) == (AnswerLost, True, len(replicate.LOOKS))


def test_the_list_is_looked_at_only_where_a_prediction_may_be_in_it():
    invalid = httpx.Response(422, json={"detail": "prompt is required"})
    error, looks = failure(CALL, invalid, row(input={}))
    assert (type(error), looks) == (InvalidRequest, 0)
    chosen = ProviderCall("owner/model", {"prompt": "a kite", "seed": 7})  # by the caller: others may have it, too
    assert failure(chosen, None, row(input={"prompt": "a kite", "seed": 7}))[1] == 0
