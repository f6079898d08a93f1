"""Rules of the adapters that no simulator on this machine can show: foreign hosts, odd answers, limits."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from providers.adapters import ADAPTERS, wire
from providers.adapters.base import Account, Deadline
from providers.adapters.reply import Reply, retry_after
from providers.adapters.sources import with_inline_images
from providers.errors import (
    BadOutput,
    ContentPolicy,
    InvalidRequest,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    TimedOut,
    Unauthorised,
)
from providers.request import GeneratedImage, ProviderCall, SourceImage
from tests.providers.adapters.answers import BFL, CALL, FAL, GEMINI, INLINE, REPLICATE, XAI, answering, png


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.test/x", "http://queue.fal.test/x", "https://queue.fal.test:8443/x", ""]
)
def test_our_key_never_follows_an_address_to_another_host(elsewhere):
    seen: list[httpx.Request] = []
    ticket = {"request_id": "1", "status_url": elsewhere, "response_url": elsewhere, "cancel_url": elsewhere}
    with answering(httpx.Response(200, json=ticket), seen=seen) as http, pytest.raises(BadOutput):
        ADAPTERS["fal"].generate(CALL, account=FAL, http=http, deadline=Deadline(5))
    assert len(seen) == 1
    assert seen[0].headers["authorization"] == "Key secret"


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("https://api.eu2.bfl.test/v1/get_result?id=1", True),
        ("https://bfl.test/x", True),
        ("http://api.eu2.bfl.test/x", False),
        ("https://api.eu2.bfl.test:8443/x", False),
        ("https://notbfl.test/x", False),
        ("https://bfl.test.evil.test/x", False),
        ("https://bfl.test@evil.test/x", False),
        ("https://evil.test/bfl.test", False),
        ("", False),
    ],
)
def test_black_forest_labs_is_polled_where_it_says_but_only_on_its_own_hosts(address, ours):
    seen: list[httpx.Request] = []
    ticket = {"id": "1", "polling_url": address, "cost": 1.5}
    replies = [httpx.Response(200, json=ticket), httpx.Response(200, json={"status": "Content Moderated"})]
    with answering(*replies, seen=seen) as http, pytest.raises(ContentPolicy if ours else BadOutput) as caught:
        ADAPTERS["bfl"].generate(CALL, account=BFL, http=http, deadline=Deadline(5))
    assert caught.value.possibly_charged
    assert [str(request.url) for request in seen[1:]] == ([address] if ours else [])
    assert {request.headers["x-key"] for request in seen} == {"secret"}


def test_black_forest_labs_gets_its_images_in_base64_and_in_numbered_fields():
    seen: list[httpx.Request] = []
    call = ProviderCall("flux-2-pro", {"prompt": "p"}, images=(png(), png(8, 8)), image_field="input_image")
    with answering(httpx.Response(402), seen=seen) as http, pytest.raises(OutOfCredit):
        ADAPTERS["bfl"].generate(call, account=BFL, http=http, deadline=Deadline(5))
    body = json.loads(seen[0].content)
    assert str(seen[0].url) == "https://api.bfl.test/v1/flux-2-pro"
    assert [base64.b64decode(body[name]) for name in ("input_image", "input_image_2")] == [
        image.data for image in call.images
    ]


def test_gemini_gets_each_argument_where_its_body_has_a_place_for_it():
    seen: list[httpx.Request] = []
    arguments = {
        "prompt": "p", "aspectRatio": "16:9", "imageSize": "2K", "seed": 3, "temperature": 0.5, "safetySettings": [],
    }  # fmt: skip
    call = ProviderCall("gemini-3-pro-image", arguments, images=(png(),))
    with answering(httpx.Response(429), seen=seen) as http, pytest.raises(RateLimited):
        ADAPTERS["gemini"].generate(call, account=GEMINI, http=http, deadline=Deadline(5))
    assert str(seen[0].url) == "https://gemini.test/v1beta/models/gemini-3-pro-image:generateContent"
    assert seen[0].headers["x-goog-api-key"] == "secret"
    inline = {"mimeType": "image/png", "data": base64.b64encode(png().data).decode()}
    assert json.loads(seen[0].content) == {
        "contents": [{"role": "user", "parts": [{"text": "p"}, {"inlineData": inline}]}],
        "generationConfig": {
            "responseModalities": ["IMAGE"], "seed": 3, "temperature": 0.5,
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
        },
        "safetySettings": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "error", "charged"),
    [
        ({"promptFeedback": {"blockReason": "OTHER"}}, ContentPolicy, False),
        ({"candidates": [{"finishReason": "IMAGE_PROHIBITED_CONTENT"}]}, ContentPolicy, True),
        ({"candidates": [{"finishReason": "IMAGE_RECITATION"}]}, ContentPolicy, True),
        ({"candidates": [{"finishReason": "IMAGE_OTHER"}]}, BadOutput, True),
        ({"candidates": [{"finishReason": "MAX_TOKENS", "content": {"parts": [{"text": "I"}]}}]}, BadOutput, True),
        ({"candidates": []}, BadOutput, True),
    ],
)
def test_gemini_says_in_a_200_why_there_is_no_image(answer, error, charged):
    with answering(httpx.Response(200, json=answer)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS["gemini"].generate(CALL, account=GEMINI, http=http, deadline=Deadline(5))
    assert (type(caught.value), caught.value.possibly_charged) == (error, charged)


def test_replicate_is_polled_at_home_when_it_names_another_host():
    seen: list[httpx.Request] = []
    running = {"id": "p1", "status": "starting", "urls": {"get": "https://evil.test/", "cancel": "https://evil.test/"}}
    with (
        answering(httpx.Response(201, json=running), httpx.Response(404, json={"detail": "gone"}), httpx.Response(404),
                  seen=seen) as http,
        pytest.raises(NotFound) as caught,
    ):  # fmt: skip
        ADAPTERS["replicate"].generate(CALL, account=REPLICATE, http=http, deadline=Deadline(5))
    assert [str(request.url) for request in seen[1:]] == [
        "https://replicate.test/v1/predictions/p1", "https://replicate.test/v1/predictions/p1/cancel",
    ]  # fmt: skip
    assert caught.value.possibly_charged


UNKNOWN_STATUSES = [None, 7, ["succeeded"], {"is": "succeeded"}, True, "queued", "Processing", "a new one"]


@pytest.mark.parametrize("status", UNKNOWN_STATUSES)
def test_a_status_of_replicate_that_nobody_knows_is_polled_on_until_it_is_final(status):
    job = {"id": "p1", "urls": {}}
    answers = [
        job | {"status": "processing"},
        job | {"status": status},
        job | {"status": "succeeded", "output": INLINE},
    ]
    with answering(*(httpx.Response(200, json=answer) for answer in answers)) as http:
        answer = ADAPTERS["replicate"].generate(CALL, account=REPLICATE, http=http, deadline=Deadline(5))
    assert answer.images


@pytest.mark.parametrize("status", UNKNOWN_STATUSES)
def test_a_status_of_black_forest_labs_that_nobody_knows_is_polled_on_until_it_is_final(status):
    task = {"id": "t1", "polling_url": "https://api.bfl.test/v1/get_result?id=t1"}
    answers = [task, {"status": status}, {"status": "Ready", "result": {"sample": INLINE}}]
    with answering(*(httpx.Response(200, json=answer) for answer in answers)) as http:
        answer = ADAPTERS["bfl"].generate(CALL, account=BFL, http=http, deadline=Deadline(5))
    assert answer.images


@pytest.mark.parametrize(("adapter", "account"), [("bfl", BFL), ("replicate", REPLICATE)])
def test_a_status_that_never_becomes_final_ends_with_the_deadline_and_may_be_charged(adapter, account):
    body = {"id": "1", "polling_url": "https://bfl.test/x", "status": "a new one"}
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body))) as http,
        pytest.raises(TimedOut) as caught,
    ):
        ADAPTERS[adapter].generate(CALL, account=account, http=http, deadline=Deadline(0.3))
    assert caught.value.possibly_charged is (adapter == "bfl")  # Replicate cancels it, and says that it never started


def test_replicate_takes_a_version_and_bounds_its_wait_by_our_time():
    seen: list[httpx.Request] = []
    for endpoint in ("owner/model:abc", "a" * 64):
        with answering(httpx.Response(401), seen=seen) as http, pytest.raises(Unauthorised):
            ADAPTERS["replicate"].generate(
                ProviderCall(endpoint, {"prompt": "a kite"}), account=REPLICATE, http=http, deadline=Deadline(30.5)
            )
        assert str(seen[-1].url) == "https://replicate.test/v1/predictions"
        assert json.loads(seen[-1].content)["version"] == endpoint
        assert seen[-1].headers["prefer"] == "wait=29"
        assert seen[-1].headers["cancel-after"] == "1m"


def test_a_private_file_at_replicate_is_fetched_with_the_key_and_only_there(monkeypatch):
    tries = []

    def fetch(url, *, deadline, trusted, headers=None):
        tries.append((url, headers))
        if headers is None:
            raise BadOutput("no", status=401)
        return GeneratedImage(b"", "image/png", 1, 1)

    monkeypatch.setattr(wire, "fetch", fetch)
    done = {"id": "p1", "status": "succeeded", "output": "https://x.replicate.delivery/out.png"}
    with answering(httpx.Response(201, json=done)) as http:
        ADAPTERS["replicate"].generate(CALL, account=REPLICATE, http=http, deadline=Deadline(5))
    assert [headers for _, headers in tries] == [None, {"Authorization": "Bearer secret"}]
    done["output"] = "https://replicate.delivery.evil.test/out.png"
    with answering(httpx.Response(201, json=done)) as http, pytest.raises(BadOutput):
        ADAPTERS["replicate"].generate(CALL, account=REPLICATE, http=http, deadline=Deadline(5))
    assert tries[-1][1] is None


def test_fal_says_itself_whether_a_refusal_is_billed():
    for units, charged in (("0", False), ("1.2", True)):
        refusal = httpx.Response(
            422,
            json={"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}]},
            headers={"x-fal-billable-units": units},
        )
        account = Account("fal", "fal", "fal", {"run": "https://fal.test"}, api_key="secret")
        with answering(refusal) as http, pytest.raises(ContentPolicy) as caught:
            ADAPTERS["fal"].generate(CALL, account=account, http=http, deadline=Deadline(5))
        assert caught.value.possibly_charged is charged


def test_a_job_that_fal_does_not_know_any_more_may_still_be_charged():
    base = "https://queue.fal.test/owner/requests/1"
    ticket = {"request_id": "1", "status_url": f"{base}/status", "response_url": base, "cancel_url": f"{base}/cancel"}
    replies = [httpx.Response(200, json=ticket), httpx.Response(404, json={"detail": "?"}), httpx.Response(404)]
    with answering(*replies) as http, pytest.raises(NotFound) as caught:
        ADAPTERS["fal"].generate(CALL, account=FAL, http=http, deadline=Deadline(5))
    assert caught.value.possibly_charged


def test_a_key_with_a_line_break_is_our_fault_and_was_not_sent(line_to):
    line = line_to("openai")
    line.account = Account("x", "X", "openai", line.account.urls, api_key="sk-1\n2", simulated=True)
    with pytest.raises(Unauthorised) as caught:
        line.ask("a kite")
    assert "line break" in caught.value.detail
    assert not caught.value.possibly_charged


def test_arguments_that_cannot_be_written_down_are_the_callers_fault(line_to):
    for impossible in (float("nan"), object(), "\ud800"):
        with pytest.raises(InvalidRequest):
            line_to("fal").ask("a kite", strength=impossible)


def test_only_the_images_that_fal_marked_as_unsafe_are_left_out(line_to):
    body = {"images": [{"url": INLINE}, {"url": INLINE}], "has_nsfw_concepts": [True, False]}
    account = Account("fal", "fal", "fal", {"run": "https://fal.test"}, api_key="secret")
    with answering(httpx.Response(200, json=body)) as http:
        answer = ADAPTERS["fal"].generate(CALL, account=account, http=http, deadline=Deadline(5))
    assert len(answer.images) == 1


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "3"}, b"", 3),
        ({"retry-after-ms": "1500"}, b"", 1.5),
        ({}, b'{"detail": "Request was throttled. Your rate limit resets in ~30s."}', 30),
        ({}, b"Please retry after 2m", 120),
        ({}, b"nothing", None),
        ({"retry-after": "soon"}, b"", None),
    ],
)
def test_how_long_to_wait_is_read_from_headers_and_text(headers, body, seconds):
    assert retry_after(Reply(429, httpx.Headers(headers), body, 0)) == seconds


def test_how_long_to_wait_may_be_a_date():
    headers = httpx.Headers({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)})
    assert 15 < (retry_after(Reply(429, headers, b"", 0)) or 0) <= 20


def test_source_images_too_large_to_send_inline_are_refused_before_anything_is_sent():
    image = SourceImage(bytes(9 * 2**20), "image/png")
    with pytest.raises(InvalidRequest, match="9 MB"):
        with_inline_images(ProviderCall("e", {}, images=(image,), image_field="images"))


def test_a_single_source_image_goes_into_a_single_field():
    call = ProviderCall("e", {"prompt": "p"}, images=(png(),), image_field="image_url", image_is_list=False)
    assert with_inline_images(call)["image_url"].startswith("data:image/png;base64,")


def test_a_key_does_not_show_in_the_repr_of_an_account():
    assert "secret" not in repr(FAL)


def test_edits_are_json_with_data_urls_where_the_account_says_so():
    seen: list[httpx.Request] = []
    body = {"data": [{"b64_json": INLINE}]}
    for images in ((png(),), (png(), png(8, 8))):
        call = ProviderCall("grok-imagine-image", {"prompt": "p"}, images=images, image_field="image")
        with answering(httpx.Response(200, json=body), seen=seen) as http:
            assert ADAPTERS["openai"].generate(call, account=XAI, http=http, deadline=Deadline(5)).images
    one, two = (json.loads(request.content) for request in seen)
    assert {request.headers["content-type"] for request in seen} == {"application/json"}
    assert {request.url.path for request in seen} == {"/v1/images/edits"}
    assert one["image"]["type"] == "image_url"
    assert one["image"]["url"].startswith("data:image/png;base64,")
    assert len(two["images"]) == 2
    call = ProviderCall("m", {"prompt": "p"}, images=(png(),), mask=png())
    with answering() as http, pytest.raises(InvalidRequest, match="takes no mask"):
        ADAPTERS["openai"].generate(call, account=XAI, http=http, deadline=Deadline(5))


def test_without_tls_a_private_network_is_asked_and_the_internet_is_not(monkeypatch):
    account = Account("lan", "LAN", "openai", {"base": "http://gpu.test/v1"}, api_key="secret", allow_private=True)
    for addresses, is_asked in ((["192.168.1.9"], True), (["127.0.0.1"], True), (["93.184.216.34", "10.0.0.1"], False)):
        seen: list[httpx.Request] = []
        monkeypatch.setattr(wire, "resolve", lambda *_, ips=addresses: ips)
        with answering(httpx.Response(402), seen=seen) as http, pytest.raises(ProviderError) as caught:
            ADAPTERS["openai"].generate(CALL, account=account, http=http, deadline=Deadline(5))
        assert type(caught.value) is (OutOfCredit if is_asked else NotFound)
        assert bool(seen) is is_asked
