"""An account of every adapter, and a client that answers in place of a network."""

from __future__ import annotations

import base64
from io import BytesIO

import httpx
from PIL import Image

from providers.adapters.base import Account
from providers.request import ProviderCall, SourceImage


def png(width: int = 96, height: int = 64) -> SourceImage:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return SourceImage(buffer.getvalue(), "image/png")


FAL = Account("fal", "fal", "fal", {"run": "https://fal.test", "queue": "https://queue.fal.test"}, api_key="secret")


REPLICATE = Account("replicate", "Replicate", "replicate", {"base": "https://replicate.test/v1"}, api_key="secret")


BFL = Account("bfl", "BFL", "bfl", {"base": "https://api.bfl.test/v1"}, domains=("bfl.test",), api_key="secret")


GEMINI = Account("gemini", "Gemini", "gemini", {"base": "https://gemini.test/v1beta"}, api_key="secret")


CALL = ProviderCall("owner/model", {"prompt": "a kite"})


INLINE = f"data:image/png;base64,{base64.b64encode(png().data).decode()}"


def answering(*replies: httpx.Response, seen: list[httpx.Request] | None = None) -> httpx.Client:
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return left.pop(0)

    return httpx.Client(transport=httpx.MockTransport(answer))


XAI = Account("xai", "xAI", "openai", {"base": "https://api.x.test/v1"}, api_key="secret", json_edits=True)


BASE = "https://queue.fal.test/owner/requests/1"


TICKET = {"request_id": "1", "status_url": f"{BASE}/status", "response_url": BASE, "cancel_url": f"{BASE}/cancel"}
