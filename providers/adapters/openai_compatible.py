"""The Images API of OpenAI, and every server that speaks it: one synchronous request, the image inside the answer.

Generations are JSON, edits are a multipart form with the source images in `image[]` – or JSON, where the account says
`json_edits` (xAI takes nothing else). The job cannot be found again nor cancelled, so an answer that is lost is lost.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from providers.errors import (
    BadOutput,
    ContentPolicy,
    InputUnreachable,
    InvalidRequest,
    OutOfCredit,
    ProviderError,
    Unauthorised,
)
from providers.request import Answer, GeneratedImage, ProviderCall

from .base import NO_KEY, Account, Deadline
from .events import Events
from .failures import message_of
from .images import strings_of
from .reply import Reply, duration_of, token_counts
from .sources import MAX_INLINE, check_size, data_uri, file_name_of
from .wire import Wire

_BY_CODE: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"), OutOfCredit),
    **dict.fromkeys(("invalid_image_url", "image_url_unreachable", "image_parse_error"), InputUnreachable),
    **dict.fromkeys(("invalid_api_key", "incorrect_api_key", "invalid_authentication"), Unauthorised),
}
# How refusals for the content are called: by code at OpenAI, Azure and Volcengine …
_REFUSED = re.compile(r"moderation|content_?(?:policy|filter)|sensitive_?content|responsible_?ai|nsfw", re.IGNORECASE)
# … by words alone at xAI: "Generated image rejected by content moderation.", "Content violates usage guidelines."
_REFUSED_IN_WORDS = re.compile(
    r"content (?:moderation|violates)|usage guidelines|safety system|sensitive (?:content|information)|\bnsfw\b",
    re.IGNORECASE,
)
_TICKS = 10**10  # of xAI's `cost_in_usd_ticks`, in a US dollar
# What OpenAI's answer says about the image; others say it per image.
_FACTS = ("quality", "background", "size", "output_format")


class OpenAICompatible:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        key = {} if account.api_key == NO_KEY else {"Authorization": f"Bearer {account.api_key}"}
        wire = Wire(account, http, deadline, key)
        base = account.urls["base"].rstrip("/")
        arguments = {"model": call.endpoint, **call.arguments}
        events = _events_of(wire, call)
        if events:
            arguments |= {"stream": True, "partial_images": call.partial_images}
        where = f"{base}/images/{'edits' if call.images else 'generations'}"
        reply = wire.create(where, on_body=events.feed if events else None, **_content(wire, call, arguments))
        streamed = events is not None and reply.ok and "event-stream" in reply.headers.get("content-type", "")
        if events and streamed:
            reply = _whole(reply, events)
        if not reply.ok:
            raise _failure(wire, reply)
        return Answer(
            images=_images(wire, reply),
            duration=timedelta(seconds=time.monotonic() - started),
            ttfb=None if streamed else timedelta(seconds=reply.ttfb),  # a stream begins before the image does
            provider_time=_processing_time(reply),
            provider_request_id=wire.redacted(reply.headers.get("x-request-id"), 120),
            cost=_cost(reply),
            usage=token_counts(reply.object().get("usage")),
        )


def _content(wire: Wire, call: ProviderCall, arguments: dict[str, Any]) -> dict[str, Any]:
    """The body, as keyword arguments for httpx."""
    if not call.images:
        return {"json": arguments}
    if not wire.account.json_edits:
        return {"data": _form(arguments), "files": _files(call)}
    check_size(call, MAX_INLINE)
    if call.mask is not None:
        raise wire.failure(InvalidRequest, public="{name} takes no mask.")
    sources = [{"url": data_uri(image), "type": "image_url"} for image in call.images]
    return {"json": arguments | ({"image": sources[0]} if len(sources) == 1 else {"images": sources})}


def _events_of(wire: Wire, call: ProviderCall) -> Events | None:
    """The events of a stream, where half-made images are to be shown; None when no stream is requested."""
    show = call.on_partial
    if show is None or not call.partial_images:
        return None

    def on_partial(event: Mapping[str, Any]) -> None:
        with contextlib.suppress(BadOutput):  # the whole one is what counts
            for text in strings_of(event.get("b64_json")):
                show(wire.image(text))

    return Events(on_partial)


def _whole(reply: Reply, events: Events) -> Reply:
    """What the answer would have been without a stream."""
    failed = next((event["error"] for event in events.others if isinstance(event.get("error"), dict)), None)
    done = [event for event in events.others if str(event.get("type")).endswith(".completed")]
    if failed is not None and not done:
        return replace(reply, status=500, body=json.dumps({"error": failed}).encode())
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


def _images(wire: Wire, reply: Reply) -> tuple[GeneratedImage, ...]:
    content = reply.object()
    data = next((content[name] for name in ("data", "images", "output", "result") if content.get(name)), None)
    items = data if isinstance(data, list) else [data]
    withheld = [item for item in (content, *items) if _is_withheld(item)]
    items = [item for item in items if item not in withheld]
    if withheld and (content in withheld or not items):
        raise wire.failure(ContentPolicy, message_of(withheld[0]), status=reply.status, possibly_charged=True)
    images = wire.images(items, reply)
    if len(images) != len(items):
        items = [{}] * len(images)  # which is which is not known
    return tuple(
        replace(image, facts=_facts(wire, content, item if isinstance(item, dict) else {}))
        for image, item in zip(images, items, strict=True)
    )


def _is_withheld(item: Any) -> bool:
    """Has moderation withheld an image? xAI marks the image, which is then a substitute; Volcengine gives an error in
    its place."""
    return isinstance(item, dict) and (item.get("respect_moderation") is False or _is_refusal(item.get("error")))


def _is_refusal(error: Any) -> bool:
    return isinstance(error, dict) and bool(_REFUSED.search(str(error.get("code") or "")))


def _cost(reply: Reply) -> Decimal | None:
    """USD that the answer says it costs, where it says so in a unit that we know."""
    usage = reply.object().get("usage")
    ticks = usage.get("cost_in_usd_ticks") if isinstance(usage, dict) else None
    return Decimal(ticks) / _TICKS if isinstance(ticks, int) and 0 <= ticks < 10**15 else None


def _facts(wire: Wire, content: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, str]:
    """What the answer says about one image: how the prompt was rewritten, and the settings that were chosen."""
    named = {name: item.get(name, content.get(name)) for name in _FACTS} | {
        "revised_prompt": item.get("revised_prompt")
    }
    return {name: wire.redacted(value, 32_000) for name, value in named.items() if isinstance(value, str) and value}


def _processing_time(reply: Reply) -> timedelta | None:
    in_milliseconds = duration_of(reply.headers.get("openai-processing-ms"))
    return in_milliseconds / 1000 if in_milliseconds else None


def _failure(wire: Wire, reply: Reply) -> ProviderError:
    """What an error answer means: its code where there is one, its words where they are a refusal, else its status."""
    error = reply.object().get("error")
    code = str(error.get("code") or "").lower() if isinstance(error, dict) else ""
    said = message_of(reply.object()) if reply.status in (400, 403, 422) else ""
    if _is_refusal(error) or _REFUSED_IN_WORDS.search(said):
        billed = _cost(reply)  # xAI bills the image that it withholds
        return wire.failure_of(ContentPolicy, reply, possibly_charged=bool(billed))
    if code in _BY_CODE:
        return wire.failure_of(_BY_CODE[code], reply)
    return wire.failure_by_status(reply)
