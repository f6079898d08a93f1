"""Large source images are uploaded first; what goes wrong with that is not charged, and our key stays at home."""

from __future__ import annotations

import functools
import json
import random
import socket
from io import BytesIO

import httpx
import pytest
from PIL import Image

from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.errors import ConnectFailed, InvalidRequest, ProviderError, ProviderFailure, TimedOut, Unauthorised
from providers.request import ProviderCall, SourceImage
from providers.transfer.upload import put


@functools.cache
def noise(width: int, height: int) -> SourceImage:
    """A PNG that is not compressed: three bytes a pixel."""
    pixels = random.Random(1).randbytes(width * height * 3)
    buffer = BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(buffer, "PNG", compress_level=0)
    return SourceImage(buffer.getvalue(), "image/png")


SMALL, MEDIUM, LARGE = (64, 64), (400, 300), (1800, 1700)  # of noise 12 kB, 360 kB, 9 MB


@pytest.mark.parametrize(
    ("wire", "images", "uploads"),
    [
        ("fal", (SMALL, MEDIUM), 0),
        ("fal", (LARGE,), 1),
        ("fal-run", (LARGE, SMALL), 2),
        ("replicate", (SMALL,), 0),
        ("replicate", (MEDIUM,), 1),
        ("replicate", (SMALL, LARGE), 2),
        ("openai", (LARGE,), 0),  # a form, whatever its size
        ("bfl", (LARGE,), 0),
        ("gemini", (LARGE,), 0),
    ],
)
def test_large_source_images_are_uploaded_and_small_ones_go_along(line_to, wire, images, uploads):
    line = line_to(wire)
    seen: list[httpx.Request] = []
    with httpx.Client(event_hooks={"request": [seen.append]}, trust_env=False) as client:
        line.http = client
        (image,) = line.ask("make it night", images=tuple(noise(*size) for size in images)).images
    assert (image.width, image.height) == (192, 128)
    paths = [request.url.path for request in seen if request.method == "POST"]
    assert [path.endswith(("/initiate", "/files")) for path in paths] == [True] * uploads + [False]
    assert line.journal["created"] == 1


def test_all_source_images_together_have_a_limit(line_to):
    for wire in ("fal", "replicate"):
        line = line_to(wire)
        with pytest.raises(InvalidRequest, match="65 MB"):
            line.ask("a kite", images=(SourceImage(bytes(65 * 2**20), "image/png"),))
    for wire in ("bfl", "gemini"):
        with pytest.raises(InvalidRequest, match="16 MB"):
            line_to(wire).ask("a kite", images=(SourceImage(bytes(16 * 2**20), "image/png"),))


FAL = Account("fal", "fal", "fal", {"run": "https://fal.test", "rest": "https://rest.fal.test"}, api_key="secret")
REPLICATE = Account("replicate", "Replicate", "replicate", {"base": "https://replicate.test/v1"}, api_key="secret")


def refused(account: Account, reply: httpx.Response | Exception) -> tuple[ProviderError, list[httpx.Request]]:
    """The error that comes of this reply to the upload, and all that was sent."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    call = ProviderCall("owner/model", {"prompt": "p"}, images=(noise(*LARGE),), image_field="images")
    with httpx.Client(transport=httpx.MockTransport(answer)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS[account.adapter].generate(call, account=account, http=http, deadline=Deadline(5))
    return caught.value, seen


@pytest.mark.parametrize("account", [FAL, REPLICATE])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(401), Unauthorised),
        (httpx.Response(500), ProviderFailure),
        (httpx.Response(200, json={}), ProviderFailure),
        (httpx.Response(200, json={"urls": 5, "upload_url": 5}), ProviderFailure),
        (httpx.ReadError("reset"), ConnectFailed),
    ],
)
def test_an_upload_that_fails_orders_nothing_and_costs_nothing(account, reply, error):
    raised, seen = refused(account, reply)
    assert type(raised) is error
    assert not raised.possibly_charged
    assert len(seen) == 1


@pytest.mark.parametrize(
    "target", ["http://x.test/put", "https://127.0.0.1/put", "https://10.0.0.7/put", "https://a@x.test/", "file:///etc"]
)
def test_a_source_image_is_not_sent_into_a_private_network(target):
    raised, seen = refused(FAL, httpx.Response(200, json={"upload_url": target, "file_url": "https://x.test/f"}))
    assert type(raised) is ConnectFailed
    assert not raised.possibly_charged
    assert [json.loads(request.content) for request in seen] == [
        {"content_type": "image/png", "file_name": "image-1.png"}
    ]


def test_a_place_that_does_not_take_the_image_is_said_so(simulator):
    with pytest.raises(ConnectFailed) as caught:
        put(f"{simulator.url}/nowhere", b"x", "image/png", deadline=Deadline(5), trusted=[simulator.url])
    assert "404" in caught.value.detail


def test_an_upload_keeps_to_the_time_limit():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises((TimedOut, ConnectFailed)) as caught:
            put(f"{origin}/x", b"x", "image/png", deadline=Deadline(0.2), trusted=[origin])
    assert not caught.value.possibly_charged
