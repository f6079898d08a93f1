"""The sample models, drawn in this very process: for installations that want a demo without a simulator beside it.

The endpoint is the slug of a sample model. There is no wire and no key, hence none of the errors that come with them.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from io import BytesIO
from typing import Any

import httpx
from PIL import Image

from providers.errors import InputUnreachable, InvalidRequest, NotFound
from providers.request import Answer, ProviderCall
from providers.sniffing import measured

from .base import Account, Deadline


class Studio:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        from providers.studio import render  # here, so that only who draws pays for loading numpy

        started = time.monotonic()
        width, height = _size(call)
        seed = _whole(call.arguments.get("seed", secrets.randbelow(2**31)), "seed")  # several of a request differ
        prompt = str(call.arguments.get("prompt") or "")
        deadline.check("waiting to draw")
        source = _source(call)
        try:
            picture = render(call.endpoint, prompt, width, height, seed=seed, source=source)
        except LookupError as error:
            raise NotFound(str(error)) from error
        except ValueError as error:
            raise InvalidRequest(str(error)) from error
        deadline.check("drawing")
        buffer = BytesIO()
        picture.save(buffer, "PNG", compress_level=1)
        took = timedelta(seconds=time.monotonic() - started)
        return Answer(images=(measured(buffer.getvalue()),), duration=took, provider_time=took, seed=seed)


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"{name}={value!r} is not a whole number.") from error


def _size(call: ProviderCall) -> tuple[int, int]:
    default = call.resolved_size or (1024, 1024)
    width, height = (
        _whole(call.arguments.get(name, size), name) for name, size in zip(("width", "height"), default, strict=True)
    )
    return width, height


def _source(call: ProviderCall) -> Image.Image | None:
    if not call.images:
        return None
    try:
        return Image.open(BytesIO(call.images[0].data)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputUnreachable(f"The source image cannot be read ({error}).") from error
