"""Every adapter through everything its provider can do, on a real connection to the simulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.catalog import load
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
from providers.offering import normalisation
from providers.request import ImageRequest, SourceImage

from .wires import WIRES, WITH_ADDRESSES

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
    if wire != "gemini":  # says nothing about its time
        assert timedelta(0) < answer.provider_time < answer.duration
    assert line.journal == {"asked": 1, "refused": 0, "created": 1, "running": 0, "done": 1, "cancelled": 0}
    if wire in ("fal", "bfl"):
        assert answer.ttfb is None  # polled: it would be the time of the last poll
    else:
        assert timedelta(0) < answer.ttfb <= answer.duration
    if wire in ("fal", "fal-run", "bfl"):
        assert answer.seed == 7
    if wire in ("openai", "gemini"):  # priced by tokens
        assert any("token" in name.lower() for name in answer.usage)
    if wire == "bfl":
        assert answer.cost == Decimal("0.015")  # 1.5 credits of a cent each
    if wire in ("fal", "fal-run"):
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


@pytest.mark.parametrize(
    ("wire", "field"), [("fal", "num_images"), ("fal-run", "num_images"), ("openai", "n"), ("replicate", "num_outputs")]
)
def test_several_images_in_one_call(line_to, wire, field):
    images = line_to(wire).ask("four kites", **{field: 4}).images
    assert len({image.data for image in images}) == 4


# (scenario, wire formats, error, possibly charged, other facts)
FAULTS = [
    ("policy", ["fal", "replicate", "bfl"], ContentPolicy, MAYBE, {}),
    ("policy", ["fal-run", "openai", "gemini"], ContentPolicy, False, {}),
    ("nsfw", ["fal", "fal-run", "replicate", "bfl", "gemini"], ContentPolicy, MAYBE, {}),
    ("nsfw", ["openai"], ContentPolicy, False, {}),
    ("missing", WIRES, InvalidRequest, False, {}),
    ("invalid", WIRES, InvalidRequest, False, {}),
    ("input", ["fal", "fal-run", "openai", "bfl", "gemini"], InputUnreachable, False, {}),
    ("input", ["replicate"], InputUnreachable, MAYBE, {}),
    ("401", WITH_ADDRESSES, Unauthorised, False, {"status": 401}),
    ("401", ["gemini"], Unauthorised, False, {"status": 400}),
    ("402", WIRES, OutOfCredit, False, {}),
    ("403", ["fal", "fal-run"], OutOfCredit, False, {"status": 403}),
    ("403", ["replicate", "openai", "bfl", "gemini"], Unauthorised, False, {"status": 403}),
    ("404", WIRES, NotFound, False, {"status": 404}),
    ("429", ["fal", "fal-run", "openai", "bfl", "gemini"], RateLimited, False, {"retry_after": None}),
    ("429", ["replicate"], RateLimited, False, {"retry_after": 30}),
    ("429=7", WIRES, RateLimited, False, {"retry_after": 7}),
    ("500", WIRES, ProviderFailure, False, {"status": 500}),
    ("502", WIRES, ProviderFailure, False, {"status": 502}),
    ("503", WIRES, ProviderFailure, False, {"status": 503}),
    ("504", ["fal", "fal-run"], TimedOut, False, {"status": 504}),
    ("504", ["replicate", "openai", "bfl", "gemini"], TimedOut, MAYBE, {"status": 504}),
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
    ("fail-after-queue", ["fal", "openai", "gemini"], ProviderFailure, False, {"status": 500}),
    ("fail-after-queue", ["replicate", "bfl"], ProviderFailure, MAYBE, {}),
    ("fail-after-queue=422", ["fal"], InvalidRequest, False, {"status": 422}),
    ("fail-after-queue=503", ["fal"], ProviderFailure, False, {"status": 503}),
    ("fail-after-queue=504", ["fal"], TimedOut, False, {"status": 504}),
    ("failed=Invalid input (E006)", ["replicate"], InvalidRequest, MAYBE, {}),
    ("failed=Timeout starting (E6716)", ["replicate"], TimedOut, MAYBE, {}),
    ("failed=Out of memory (E1001)", ["replicate"], ProviderFailure, MAYBE, {}),
    ("aborted", ["fal", "replicate"], TimedOut, False, {}),
    ("canceled", ["replicate"], Cancelled, MAYBE, {}),
    ("canceled", ["fal"], Cancelled, False, {}),
    ("failed=Failed to load the input image", ["replicate", "bfl"], InputUnreachable, MAYBE, {}),
    ("task-not-found", ["bfl"], AnswerLost, MAYBE, {}),
    ("text-only", ["gemini"], BadOutput, MAYBE, {}),
    ("result-404", WITH_ADDRESSES, BadOutput, MAYBE, {}),
    ("result-html", WIRES, BadOutput, MAYBE, {}),
    ("result-zero", WIRES, BadOutput, MAYBE, {}),
    ("result-cut", WIRES, BadOutput, MAYBE, {}),
    ("result-wrong-type", WIRES, BadOutput, MAYBE, {}),
    ("result-animated", WIRES, BadOutput, MAYBE, {}),
    ("result-private", WITH_ADDRESSES, BadOutput, MAYBE, {}),
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


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("scenario", ["data-uri", "output-string", "output-list", "result-redirect=2", "wrong-size"])
def test_whatever_the_shape_of_the_result_the_image_comes_home(line_to, wire, scenario):
    image = line_to(wire).ask(f"a kite [sim:{scenario}]").images[0]
    assert (image.width, image.height) == (
        (96, 64) if scenario == "wrong-size" else (192, 128)
    )  # measured, not believed


def test_a_sketch_on_the_way_is_not_taken_for_geminis_image(line_to):
    (image,) = line_to("gemini").ask("a kite [sim:thoughts]").images
    assert (image.width, image.height) == (192, 128)


def test_black_forest_labs_takes_each_source_image_in_a_field_of_its_own_and_bills_it(line_to):
    answer = line_to("bfl").ask("a kite", images=(png(), png(32, 32)))
    assert answer.cost == Decimal("0.017")


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
    with pytest.raises(NotFound) as caught:
        line.ask("a kite")
    assert "ALLOW_LOOPBACK_PROVIDERS" in caught.value.detail
    line.account = Account("x", "X", line.account.adapter, line.account.urls, api_key="k", allow_loopback=True)
    assert not line.account.is_simulated  # a proxy on this machine may spend real money
    assert line.ask("a kite").images


@pytest.mark.parametrize(
    ("slug", "provider", "request_", "size"),
    [
        ("flux.2-pro", "bfl", ImageRequest("a kite", size="16:9", seed=1), (1360, 768)),
        ("flux.2-klein-4b", "bfl", ImageRequest("a kite", mode="edit", images=(png(128, 64),)), (1448, 724)),
        ("gemini-3-pro-image", "gemini", ImageRequest("a kite", aspect_ratio="4:3"), (1182, 887)),
        ("gemini-2.5-flash-image", "gemini", ImageRequest("a kite", mode="edit", images=(png(),)), (1254, 836)),
    ],
)
def test_an_offering_of_the_catalogue_reaches_the_wire(line_to, slug, provider, request_, size):
    """Endpoint, fields and size of the shipped rows, as the simulator – which knows nothing of them – reads them."""
    row = load.read().offerings[slug, provider, request_.mode]
    call = normalisation.build(request_, endpoint=row["endpoint"], parameters=row["parameters"])
    line = line_to(provider)
    (image,) = ADAPTERS[provider].generate(
        call, account=line.account, http=line.http, deadline=Deadline(20)
    ).images  # fmt: skip
    assert (image.width, image.height) == size
