"""Every adapter through everything its provider can do, on a real connection to the simulator."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from providers.adapters import ADAPTERS, replicate
from providers.adapters.base import Account, Deadline
from providers.adapters.wire import Reply, retry_after, with_inline_images
from providers.errors import (
    AnswerLost,
    BadOutput,
    Cancelled,
    ConnectFailed,
    ContentPolicy,
    InputUnreachable,
    InvalidRequest,
    NotFound,
    OutOfCredit,
    ProviderError,
    ProviderFailure,
    RateLimited,
    TimedOut,
    Unauthorised,
)
from providers.request import GeneratedImage, ProviderCall, SourceImage
from providers.studio import SAMPLE_MODELS

WIRES = ("fal", "fal-run", "replicate", "openai")
QUEUES = ("fal", "replicate")  # the wire formats in which a job can be asked about and cancelled
MAYBE = True  # possibly charged


def png(width: int = 96, height: int = 64) -> SourceImage:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return SourceImage(buffer.getvalue(), "image/png")


@pytest.mark.parametrize("wire", WIRES)
def test_an_image_of_the_size_asked_for_comes_home_with_its_measurements(line_to, wire):
    line = line_to(wire)
    answer = line.ask("a red kite over dunes", seed=7)
    (image,) = answer.images
    assert (image.width, image.height, image.content_type) == (192, 128, "image/png")
    assert Image.open(BytesIO(image.data)).size == (192, 128)
    assert answer.provider_request_id
    assert timedelta(0) < answer.provider_time < answer.duration
    assert line.journal == {"asked": 1, "refused": 0, "created": 1, "running": 0, "done": 1, "cancelled": 0}
    if wire == "fal":
        assert answer.ttfb is None  # polled: it would be the time of the last poll
    else:
        assert timedelta(0) < answer.ttfb <= answer.duration
    if wire in ("fal", "fal-run"):
        assert answer.seed == 7
        assert round(answer.billed_units * 2**20 / (192 * 128), 1) == 1  # fal's own megapixels


@pytest.mark.parametrize("wire", WIRES)
def test_the_same_request_draws_the_same_image_and_another_seed_another(line_to, wire):
    line = line_to(wire)
    one, again, other = (
        line.ask("a lighthouse", endpoint="tests/lighthouse", seed=seed).images[0].data for seed in (1, 1, 2)
    )
    assert one == again != other


@pytest.mark.parametrize("wire", WIRES)
def test_a_source_image_goes_along(line_to, wire):
    answer = line_to(wire).ask("make it night", images=(png(),))
    assert (answer.images[0].width, answer.images[0].height) == (192, 128)


@pytest.mark.parametrize("wire", WIRES)
def test_a_broken_source_image_is_the_callers_fault(line_to, wire):
    with pytest.raises((InputUnreachable, InvalidRequest)) as caught:
        line_to(wire).ask("make it night", images=(SourceImage(b"no image", "image/png"),))
    assert caught.value.fault == "caller"


@pytest.mark.parametrize("wire", ["fal", "fal-run", "openai"])
def test_several_images_in_one_call(line_to, wire):
    images = line_to(wire).ask("four kites", **{"openai": {"n": 4}}.get(wire, {"num_images": 4})).images
    assert len({image.data for image in images}) == 4


# (scenario, wire formats, error, possibly charged, other facts)
FAULTS = [
    ("policy", ["fal", "replicate"], ContentPolicy, MAYBE, {}),
    ("policy", ["fal-run", "openai"], ContentPolicy, False, {}),
    ("nsfw", ["fal", "fal-run", "replicate"], ContentPolicy, MAYBE, {}),
    ("nsfw", ["openai"], ContentPolicy, False, {}),
    ("missing", WIRES, InvalidRequest, False, {}),
    ("invalid", WIRES, InvalidRequest, False, {}),
    ("input", ["fal", "fal-run", "openai"], InputUnreachable, False, {}),
    ("input", ["replicate"], InputUnreachable, MAYBE, {}),
    ("401", WIRES, Unauthorised, False, {"status": 401}),
    ("402", WIRES, OutOfCredit, False, {}),
    ("403", ["fal", "fal-run"], OutOfCredit, False, {"status": 403}),
    ("403", ["replicate", "openai"], Unauthorised, False, {"status": 403}),
    ("404", WIRES, NotFound, False, {"status": 404}),
    ("429", ["fal", "fal-run", "openai"], RateLimited, False, {"retry_after": None}),
    ("429", ["replicate"], RateLimited, False, {"retry_after": 30}),
    ("429=7", WIRES, RateLimited, False, {"retry_after": 7}),
    ("500", WIRES, ProviderFailure, False, {"status": 500}),
    ("502", WIRES, ProviderFailure, False, {"status": 502}),
    ("503", WIRES, ProviderFailure, False, {"status": 503}),
    ("504", ["fal", "fal-run"], TimedOut, False, {"status": 504}),
    ("504", ["replicate", "openai"], TimedOut, MAYBE, {"status": 504}),
    ("gateway-500", WIRES, ProviderFailure, False, {"status": 500}),
    ("gateway-502", WIRES, ProviderFailure, False, {"status": 502}),
    ("gateway-503", WIRES, ProviderFailure, False, {"status": 503}),
    ("gateway-504", WIRES, TimedOut, MAYBE, {"status": 504}),
    ("user-timeout", ["fal", "fal-run"], TimedOut, False, {"status": 504}),
    ("reset", WIRES, AnswerLost, MAYBE, {}),
    ("cut", WIRES, AnswerLost, MAYBE, {}),
    ("html", WIRES, BadOutput, MAYBE, {}),
    ("no-image", WIRES, BadOutput, MAYBE, {}),
    ("output-null", ["replicate"], BadOutput, MAYBE, {}),
    ("fail-after-queue", ["fal", "openai"], ProviderFailure, False, {"status": 500}),
    ("fail-after-queue", ["replicate"], ProviderFailure, MAYBE, {}),
    ("fail-after-queue=422", ["fal"], InvalidRequest, False, {"status": 422}),
    ("fail-after-queue=503", ["fal"], ProviderFailure, False, {"status": 503}),
    ("fail-after-queue=504", ["fal"], TimedOut, False, {"status": 504}),
    ("failed=Invalid input (E006)", ["replicate"], InvalidRequest, MAYBE, {}),
    ("failed=Timeout starting (E6716)", ["replicate"], TimedOut, MAYBE, {}),
    ("failed=Out of memory (E1001)", ["replicate"], ProviderFailure, MAYBE, {}),
    ("aborted", ["fal", "replicate"], TimedOut, False, {}),
    ("canceled", ["replicate"], Cancelled, MAYBE, {}),
    ("canceled", ["fal"], Cancelled, False, {}),
    ("result-404", WIRES, BadOutput, MAYBE, {}),
    ("result-html", WIRES, BadOutput, MAYBE, {}),
    ("result-private", WIRES, BadOutput, MAYBE, {}),
]
EXPECTED = {  # retry the same offering, fall back to another, whose fault: the table of the error map
    ContentPolicy: (False, True, "nobody"),
    InvalidRequest: (False, True, "caller"),
    InputUnreachable: (False, False, "caller"),
    Unauthorised: (False, True, "us"),
    OutOfCredit: (False, True, "us"),
    NotFound: (False, True, "us"),
    RateLimited: (True, True, "nobody"),
    TimedOut: (False, True, "provider"),
    ProviderFailure: (True, True, "provider"),
    ConnectFailed: (True, True, "provider"),
    AnswerLost: (False, True, "provider"),
    BadOutput: (False, True, "provider"),
    Cancelled: (False, False, "us"),
}


@pytest.mark.parametrize(
    ("wire", "scenario", "error", "charged", "facts"),
    [
        pytest.param(wire, scenario, *rest, id=f"{wire}-{scenario}")
        for scenario, wires, *rest in FAULTS
        for wire in wires
    ],
)
def test_each_fault_gets_its_proper_name_and_is_asked_for_only_once(line_to, wire, scenario, error, charged, facts):
    line = line_to(wire)
    with pytest.raises(ProviderError) as caught:
        line.ask(f"a kite [sim:{scenario}]")
    raised = caught.value
    assert type(raised) is error, raised
    assert raised.possibly_charged is charged
    assert {name: getattr(raised, name) for name in facts} == facts
    assert (raised.retry, raised.fall_back, raised.fault) == EXPECTED[error]
    assert str(raised)
    assert line.journal["asked"] == 1
    assert line.journal["created"] <= 1


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("scenario", ["reset", "cut"])
def test_after_a_lost_answer_the_work_was_done_once_and_is_not_ordered_again(line_to, wire, scenario):
    line = line_to(wire)
    with pytest.raises(AnswerLost) as caught:
        line.ask(f"a kite [sim:{scenario}]")
    assert caught.value.possibly_charged
    assert not caught.value.retry
    assert (line.journal["asked"], line.journal["created"]) == (1, 1)


@pytest.mark.parametrize("wire", QUEUES)
@pytest.mark.parametrize("scenario", ["poll-503=3", "poll-reset=3", "poll-503=2] [sim:poll-reset=2"])
def test_trouble_while_polling_is_waited_out(line_to, wire, scenario):
    line = line_to(wire)
    assert line.ask(f"a kite [sim:no-wait] [sim:{scenario}]").images
    assert line.journal["created"] == 1


@pytest.mark.parametrize("wire", QUEUES)
def test_a_job_that_cannot_be_asked_about_any_more_is_cancelled_and_possibly_charged(line_to, wire):
    line = line_to(wire)
    with pytest.raises(AnswerLost) as caught:
        line.ask("a kite [sim:no-wait] [sim:poll-503=99] [sim:slow=30]")
    assert caught.value.possibly_charged
    assert line.journal["cancelled"] == 1


@pytest.mark.parametrize("wire", QUEUES)
def test_our_own_time_limit_cancels_the_job(line_to, wire):
    line = line_to(wire)
    with pytest.raises(TimedOut) as caught:
        line.ask("a kite [sim:slow=30]", seconds=0.7)
    assert caught.value.possibly_charged
    assert line.journal["cancelled"] == 1
    assert line.journal["running"] == 0


def test_a_job_that_never_started_is_not_charged_by_replicate(line_to):
    line = line_to("replicate")
    with pytest.raises(TimedOut) as caught:
        line.ask("a kite [sim:queue=30]", seconds=0.7)
    assert not caught.value.possibly_charged
    assert line.journal["cancelled"] == 1


def test_replicate_is_waited_with_first_and_polled_then(line_to):
    line = line_to("replicate")
    answer = line.ask("a kite [sim:slow=1.4]", seconds=2.2)  # leaves one second for the first answer
    assert answer.ttfb is None  # polled
    assert answer.images
    assert line.journal["created"] == 1


@pytest.mark.parametrize("wire", ["fal-run", "openai"])
def test_the_time_limit_of_a_synchronous_call_leaves_it_possibly_charged(line_to, wire):
    with pytest.raises(TimedOut) as caught:
        line_to(wire).ask("a kite [sim:slow=20]", seconds=0.5)
    assert caught.value.possibly_charged


@pytest.mark.parametrize("wire", QUEUES)
def test_a_worker_that_is_stopped_cancels_its_job(line_to, http, wire):
    line = line_to(wire)
    polls = []

    def stop_at_second_poll(request: httpx.Request) -> None:
        polls.append(request.url)
        if request.method == "GET" and len(polls) == 3:
            raise SystemExit

    with httpx.Client(event_hooks={"request": [stop_at_second_poll]}, trust_env=False) as client:
        line.http = client
        with pytest.raises(SystemExit):
            line.ask("a kite [sim:slow=30]", seconds=1.9)
    assert line.journal["cancelled"] == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("scenario", ["data-uri", "output-string", "output-list", "result-redirect=2", "wrong-size"])
def test_whatever_the_shape_of_the_result_the_image_comes_home(line_to, wire, scenario):
    image = line_to(wire).ask(f"a kite [sim:{scenario}]").images[0]
    assert (image.width, image.height) == (
        (96, 64) if scenario == "wrong-size" else (192, 128)
    )  # measured, not believed


def test_openai_may_give_an_address_instead_of_the_bytes(line_to):
    assert line_to("openai").ask("a kite", response_format="url").images[0].width == 192


def test_a_throttled_request_succeeds_the_second_time(line_to):
    prompt = f"a kite {datetime.now(UTC).isoformat()} [sim:429-once=1]"
    line = line_to("fal")
    with pytest.raises(RateLimited) as caught:
        line.ask(prompt)
    assert caught.value.retry_after == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_provider_that_is_not_there_was_never_asked(line_to, wire, unused_port):
    line = line_to(wire)
    urls = {name: url and f"http://127.0.0.1:{unused_port}/x" for name, url in line.account.urls.items()}
    line.account = Account("x", "X", line.account.adapter, urls, api_key="k", simulated=True)
    with pytest.raises(ConnectFailed) as caught:
        line.ask("a kite")
    assert not caught.value.possibly_charged


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]  # bound but not listening: nobody answers


@pytest.mark.parametrize("wire", WIRES)
def test_loopback_is_for_accounts_that_may_use_it(line_to, wire):
    line = line_to(wire)
    line.account = Account("x", "X", line.account.adapter, line.account.urls, api_key="k")
    with pytest.raises(NotFound, match="ALLOW_LOOPBACK_PROVIDERS"):
        line.ask("a kite")
    line.account = Account("x", "X", line.account.adapter, line.account.urls, api_key="k", allow_loopback=True)
    assert line.account.is_simulated
    assert line.ask("a kite").images


# What no simulator on this machine can show ────────────────────────────────────────────────────────────────────────

FAL = Account("fal", "fal", "fal", {"run": "https://fal.test", "queue": "https://queue.fal.test"}, api_key="secret")
REPLICATE = Account("replicate", "Replicate", "replicate", {"base": "https://replicate.test/v1"}, api_key="secret")
CALL = ProviderCall("owner/model", {"prompt": "a kite"})


def answering(*replies: httpx.Response, seen: list[httpx.Request] | None = None) -> httpx.Client:
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return left.pop(0)

    return httpx.Client(transport=httpx.MockTransport(answer))


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

    monkeypatch.setattr(replicate, "fetch", fetch)
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
    with pytest.raises(Unauthorised, match="line break") as caught:
        line.ask("a kite")
    assert not caught.value.possibly_charged


def test_arguments_that_cannot_be_written_down_are_the_callers_fault(line_to):
    for impossible in (float("nan"), object(), "\ud800"):
        with pytest.raises(InvalidRequest):
            line_to("fal").ask("a kite", strength=impossible)


INLINE = f"data:image/png;base64,{base64.b64encode(png().data).decode()}"
KEYS = [
    "images", "image", "url", "has_nsfw_concepts", "timings", "inference", "detail", "loc", "type", "msg", "seed",
    "error", "error_type", "code", "message", "status", "id", "output", "metrics", "predict_time", "urls", "get",
    "data", "b64_json", "started_at",
]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["succeeded", "failed", "canceled", "COMPLETED", "data:image/png;base64,AAAA", "https://"]),
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
@settings(max_examples=60, deadline=None, database=None)
@given(
    status=st.sampled_from([200, 200, 200, 201, 202, 204, 302, 400, 403, 422, 429, 499, 500, 504]),
    body=JSON | st.binary(max_size=20),
    header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=6),
)
@pytest.mark.parametrize("adapter", ["fal", "replicate", "openai"])
def test_whatever_a_provider_answers_only_a_provider_error_comes_out(adapter, status, body, header):
    names = ["retry-after", "retry-after-ms", "x-fal-billable-units", "openai-processing-ms", "x-fal-error-type"]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = httpx.Response(status, content=content, headers=[(n.encode(), header.encode("latin-1")) for n in names])
    account = Account("x", "X", adapter, {"run": "https://x.test", "base": "https://x.test"}, api_key="k")
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply)) as http, contextlib.suppress(ProviderError):
        ADAPTERS[adapter].generate(CALL, account=account, http=http, deadline=Deadline(1))


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


def test_a_key_does_not_show_in_an_account_that_is_printed():
    assert "secret" not in repr(FAL)


def test_the_studio_draws_in_process(http):
    account = Account("studio", "Studio", "studio", api_key="none", simulated=True)
    slug = SAMPLE_MODELS[0].slug
    call = ProviderCall(slug, {"prompt": "a kite", "width": 80, "height": 64, "seed": 3})
    answer = ADAPTERS["studio"].generate(call, account=account, http=http, deadline=Deadline(20))
    assert (answer.images[0].width, answer.images[0].height, answer.seed) == (80, 64, 3)
    with pytest.raises(NotFound):
        ADAPTERS["studio"].generate(ProviderCall("no-such-model", {}), account=account, http=http, deadline=Deadline(5))
    for wrong in ("wide", 5, 100_000):
        with pytest.raises(InvalidRequest):
            ADAPTERS["studio"].generate(
                ProviderCall(slug, {"width": wrong}), account=account, http=http, deadline=Deadline(5)
            )
    with pytest.raises(InputUnreachable):
        ADAPTERS["studio"].generate(
            ProviderCall(slug, {"width": 64, "height": 64}, images=(SourceImage(b"x", "image/png"),)),
            account=account, http=http, deadline=Deadline(5),
        )  # fmt: skip
