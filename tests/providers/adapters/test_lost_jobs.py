"""Replicate and fal list jobs: one whose first answer is lost is found by its seed, and not bought again."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from providers.adapters import ADAPTERS, fal, replicate
from providers.adapters.base import Account, Deadline
from providers.errors import AnswerLost, InvalidRequest, ProviderError
from providers.request import ProviderCall

from .answers import FAL, REPLICATE, png

CALL = ProviderCall("owner/model", {"prompt": "a kite"}, spare_seed="seed")
FAL_WITH_LIST = replace(FAL, urls={**FAL.urls, "api": "https://api.fal.test/v1"})
LISTS = {"replicate": (REPLICATE, "/v1/predictions"), "fal": (FAL_WITH_LIST, "/v1/models/requests/by-endpoint")}
LOOKS = (0.02, 0.02, 0.02)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(replicate, "LOOKS", LOOKS)
    monkeypatch.setattr(fal, "LOOKS", LOOKS)


@pytest.mark.parametrize("scenario", ["reset", "cut", "html"])
@pytest.mark.parametrize("wire", LISTS)
def test_it_is_found(line_to, monkeypatch, wire, scenario):
    monkeypatch.setattr(fal, "LOOKS", (0.1,) * 50)  # until it has ended: then the list has it
    line = line_to(wire)
    part = "/part" if wire == "fal" else ""  # which fal's URLs drop
    line.ask("a kite", endpoint=f"tests/lost-{scenario}{part}")  # of somebody else, and not taken
    submitted = []
    size = {"image_size": {"width": 64, "height": 64}} if wire == "fal" else {"width": 64, "height": 64}
    arguments = {"prompt": f"a kite [sim:{scenario}]", **size}
    call = ProviderCall(line.endpoint, arguments, spare_seed="seed", on_submitted=submitted.append)
    answer = ADAPTERS[wire].generate(call, account=line.account, http=line.http, deadline=Deadline(20))
    (image,) = answer.images
    assert (image.width, image.height, answer.ttfb) == (64, 64, None)
    assert isinstance(answer.seed, int)  # so that a caller can have the image once more
    assert submitted[0]["get" if wire == "replicate" else "response_url"].endswith(answer.provider_request_id)
    assert (line.journal["asked"], line.journal["created"]) == (2, 2)


def failure(
    wire: str,
    call: ProviderCall,
    submit: httpx.Response | None,
    listed: httpx.Response,
    account: Account | None = None,
    usual: float = 0.0,
) -> tuple[ProviderError, int]:
    """What a call fails with whose submission has this answer, or none; and how often the list was looked at."""
    looks = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.method == "GET":
            assert request.url.path == LISTS[wire][1]
            looks += 1
            return listed
        if submit is None:
            raise httpx.ReadError("reset")
        return submit

    with httpx.Client(transport=httpx.MockTransport(answer)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS[wire].generate(call, account=account or LISTS[wire][0], http=http, deadline=Deadline(5, usual=usual))
    return caught.value, looks


def rows(wire: str, given: object, **fields: object) -> httpx.Response:
    """A list with one job, of which `given` was requested."""
    job: dict[str, object] = {
        "id": "1",
        "status": "succeeded",
        "model": "owner/model",
        "output": ["https://x.test/1.png"],
    }
    if wire == "fal":
        job = {"request_id": "1", "endpoint_id": "owner/model", "status_code": 200, "ended_at": "2026-01-01T00:00:08Z"}
    requested = {"json_input" if wire == "fal" else "input": given}
    return httpx.Response(200, json={"items" if wire == "fal" else "results": [job | requested | fields]})


@pytest.mark.parametrize("wire", LISTS)
@pytest.mark.parametrize(
    "given",
    [
        {"prompt": "a kite", "seed": 7},  # another caller's, of the same prompt
        {"prompt": "a kite"},
        None,
        [],
        "a kite",
    ],
)
def test_nobody_elses_is_taken(wire, given):
    error, looks = failure(wire, CALL, None, rows(wire, given))
    assert (type(error), error.possibly_charged, looks) == (AnswerLost, True, len(LOOKS))


@pytest.mark.parametrize("wire", LISTS)
@pytest.mark.parametrize(
    "listed",
    [
        httpx.Response(200, json={"results": None, "items": None}),
        httpx.Response(200, json=["odd"]),
        httpx.Response(200, json={"results": ["odd"], "items": ["odd"]}),
        httpx.Response(503, text="<html>"),
        httpx.Response(403, json={"detail": "not with this key"}),
    ],
)
def test_an_odd_list_is_none(wire, listed):
    error, looks = failure(wire, CALL, None, listed)
    assert (type(error), error.possibly_charged, looks) == (AnswerLost, True, len(LOOKS))


@pytest.mark.parametrize("wire", LISTS)
def test_the_list_is_looked_at_only_where_a_job_may_be_in_it(wire):
    invalid = httpx.Response(422, json={"detail": "prompt is required"})
    error, looks = failure(wire, CALL, invalid, rows(wire, {}))
    assert (type(error), looks) == (InvalidRequest, 0)
    chosen = ProviderCall("owner/model", {"prompt": "a kite", "seed": 7})  # by the caller: others may have it, too
    assert failure(wire, chosen, None, rows(wire, {"prompt": "a kite", "seed": 7}))[1] == 0


def test_fals_list_is_not_looked_at_for_edits_nor_where_another_server_stands_for_fal():
    edit = replace(CALL, images=(png(),), image_field="image_urls")  # rows of edits have megabytes in them
    assert failure("fal", edit, None, rows("fal", {}))[1] == 0
    assert failure("fal", CALL, None, rows("fal", {}), FAL)[1] == 0


def test_fals_list_is_looked_at_once_more_when_a_slow_job_will_have_ended():
    assert failure("fal", CALL, None, rows("fal", {}), usual=0.03)[1] == len(LOOKS) + 1
    assert failure("fal", CALL, None, rows("fal", {}), usual=0.01)[1] == len(LOOKS)


def test_an_id_that_would_change_the_url_is_not_used(monkeypatch):
    monkeypatch.setattr("providers.adapters.lost_jobs.secrets.randbelow", lambda most: 7)
    listed = rows("fal", {"prompt": "a kite", "seed": 7}, request_id="../../other/requests/1")
    error, looks = failure("fal", CALL, None, listed)
    assert (type(error), looks) == (AnswerLost, 1)
