"""The Images API of OpenAI, and whoever else speaks it: one synchronous request, the image inside the answer.

Generations are JSON, edits are a multipart form with the source images in `image[]`. The job cannot be found again nor
cancelled, so an answer that is lost is lost.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from providers.errors import (
    BadOutput,
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
from providers.request import Answer, GeneratedImage, ProviderCall
from providers.transfer.download import fetch
from providers.transfer.image_type import decode_base64, measured

from .base import NO_KEY, Account, Deadline
from .events import Events
from .sources import file_name_of
from .wire import Reply, Wire, duration_of, retry_after

_POLICY = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"})
_UNREADABLE = frozenset({"invalid_image_url", "image_url_unreachable", "image_parse_error"})


class OpenAICompatible:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        key = {} if account.api_key == NO_KEY else {"Authorization": f"Bearer {account.api_key}"}
        wire = Wire(account, http, deadline, key)
        base = account.urls["base"].rstrip("/")
        arguments = {"model": call.endpoint, **call.arguments}
        events = _events_of(call)
        if events:
            arguments |= {"stream": True, "partial_images": call.partial_images}
        if call.images:
            sent: dict[str, Any] = {"data": _form(arguments), "files": _files(call)}
        else:
            sent = {"json": arguments}
        where = f"{base}/images/{'edits' if call.images else 'generations'}"
        reply = wire.create(where, on_body=events.feed if events else None, **sent)
        streamed = events is not None and reply.ok and "event-stream" in reply.headers.get("content-type", "")
        if events and streamed:
            reply = _whole(reply, events)
        if not reply.ok:
            raise _failure(reply)
        content = reply.object()
        usage = content.get("usage")
        return Answer(
            images=_images(wire, reply, content.get("data")),
            duration=timedelta(seconds=time.monotonic() - started),
            ttfb=None if streamed else timedelta(seconds=reply.ttfb),  # a stream begins before the image does
            provider_time=_processing_time(reply),
            provider_request_id=reply.headers.get("x-request-id", ""),
            usage=usage if isinstance(usage, dict) else None,
        )


def _events_of(call: ProviderCall) -> Events | None:
    """The events of a stream, where half-made images are to be shown; else it is not asked for as a stream."""
    show = call.on_partial
    if show is None or not call.partial_images:
        return None

    def on_partial(event: Mapping[str, Any]) -> None:
        with contextlib.suppress(BadOutput):  # the whole one is what counts
            if isinstance(inline := event.get("b64_json"), str):
                show(replace(measured(decode_base64(inline)), encoded=inline))

    return Events(on_partial)


def _whole(reply: Reply, events: Events) -> Reply:
    """What the answer would have been without a stream."""
    failed = next((event["error"] for event in events.kept if isinstance(event.get("error"), dict)), None)
    if failed is not None:
        return replace(reply, status=500, body=json.dumps({"error": failed}).encode())
    done = [event for event in events.kept if str(event.get("type")).endswith(".completed")]
    usage = next((event["usage"] for event in done if isinstance(event.get("usage"), dict)), None)
    return replace(reply, body=json.dumps({"data": done, "usage": usage}).encode())


def _files(call: ProviderCall) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The source images as form parts."""
    name = (call.image_field or "image").removesuffix("[]") + ("[]" if call.image_is_list else "")
    files = [
        (name, (file_name_of(image, number), image.data, image.content_type))
        for number, image in enumerate(call.images, 1)
    ]
    if call.mask is not None:
        files.append((call.mask_field or "mask", ("mask.png", call.mask.data, call.mask.content_type)))
    return files


def _form(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as form fields, written as the official clients do: true/false, lists as name[]."""
    fields: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is None:
            continue
        if isinstance(value, list | tuple):
            fields[f"{name}[]"] = [_text(item) for item in value]
        else:
            fields[name] = _text(value)
    return fields


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _images(wire: Wire, reply: Reply, data: Any) -> tuple[GeneratedImage, ...]:
    items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    images = tuple(_image(wire, item) for item in items)
    if not images:
        raise BadOutput(f"{wire.account.name} answered without an image: {reply.text()}", possibly_charged=True)
    return images


def _image(wire: Wire, item: Mapping[str, Any]) -> GeneratedImage:
    if isinstance(inline := item.get("b64_json"), str):
        return replace(measured(decode_base64(inline)), encoded=inline)
    if isinstance(url := item.get("url"), str):
        return fetch(url, deadline=wire.deadline, trusted=wire.account.loopback_origins)
    raise BadOutput(f"{wire.account.name} answered with neither b64_json nor url.", possibly_charged=True)


def _processing_time(reply: Reply) -> timedelta | None:
    in_milliseconds = duration_of(reply.headers.get("openai-processing-ms"))
    return in_milliseconds / 1000 if in_milliseconds else None


def _failure(reply: Reply) -> ProviderError:
    """What an error answer means: its code where there is one, else its status."""
    status = reply.status
    error = reply.object().get("error")
    error = error if isinstance(error, dict) else {}
    code = str(error.get("code") or "").lower()
    message = f"The provider answered {status}: {str(error.get('message') or reply.text())[:500]}"
    if code in _POLICY:
        return ContentPolicy(message, status=status)
    if code in _NO_CREDIT or status == 402:
        return OutOfCredit(message, status=status)
    if code in _UNREADABLE:
        return InputUnreachable(message, status=status)
    match status:
        case 401 | 403:
            return Unauthorised(message, status=status)
        case 404:
            return NotFound(message, status=status)
        case 429:
            return RateLimited(message, status=status, retry_after=retry_after(reply))
        case 408 | 504 | 524:  # a gateway gave up waiting; the work behind it may go on
            return TimedOut(message, status=status, possibly_charged=True)
        case _ if status >= 500 or status < 400 or status == 409:
            return ProviderFailure(message, status=status)
        case _:
            return InvalidRequest(message, status=status)
