"""Google Gemini's image models: one synchronous `generateContent`, images inline in and out.

A 200 need not carry an image: a blocked prompt, a filtered image and a model that would rather talk all look like
success and say so in `promptFeedback.blockReason` or a candidate's `finishReason`. One image per call. The job cannot
be found again nor cancelled, so an answer that is lost is lost. Prices are per token; `Answer.usage` has the count.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx

from providers.errors import (
    BadOutput,
    ContentPolicy,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Unauthorised,
)
from providers.request import Answer, GeneratedImage, ProviderCall

from .base import Account, Deadline
from .failures import message_of
from .images import strings_of
from .reply import Reply, retry_after, token_counts
from .sources import base64_of, check_size
from .wire import Wire

MAX_INLINE = 14 * 1024 * 1024  # a request may have 20 MB, and base64 adds a third

# Where an argument goes in the body; what is in neither belongs to generationConfig itself.
_IMAGE_CONFIG = frozenset({"aspectRatio", "imageSize"})
_TOP_LEVEL = frozenset({"safetySettings", "systemInstruction", "tools", "toolConfig"})

_BLOCKED = frozenset(
    {
        "SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "RECITATION",
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    }
)  # fmt: skip
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


class Gemini:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"x-goog-api-key": account.api_key})
        url = f"{account.urls['base'].rstrip('/')}/models/{call.endpoint.strip('/')}:generateContent"
        reply = wire.create(url, json=_body(call))
        if not reply.ok:
            raise _failure(wire, reply)
        answer = reply.object()
        return Answer(
            images=_images(wire, reply),
            duration=timedelta(seconds=time.monotonic() - started),
            ttfb=timedelta(seconds=reply.ttfb),
            provider_request_id=wire.redacted(answer.get("responseId"), 120),
            usage=token_counts(answer.get("usageMetadata") or answer.get("usage_metadata")),
        )


def _body(call: ProviderCall) -> dict[str, Any]:
    check_size(call, MAX_INLINE)
    arguments = dict(call.arguments)
    parts: list[dict[str, Any]] = [{"text": arguments.pop("prompt", "")}]
    parts += [{"inlineData": {"mimeType": image.content_type, "data": base64_of(image.data)}} for image in call.images]
    top = {name: arguments.pop(name) for name in _TOP_LEVEL & arguments.keys()}
    image_config = {name: arguments.pop(name) for name in _IMAGE_CONFIG & arguments.keys()}
    config = {"responseModalities": ["IMAGE"], **arguments}
    if image_config:
        config["imageConfig"] = image_config
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config, **top}


def _images(wire: Wire, reply: Reply) -> tuple[GeneratedImage, ...]:
    """The images of all candidates; raises what the answer says instead when there is none."""
    answer = reply.object()
    candidates = [candidate for candidate in _list(answer.get("candidates")) if isinstance(candidate, dict)]
    parts = [part for candidate in candidates for part in _parts(candidate) if any(_strings(part))]
    # A thought is a sketch on the way to the image; where there is nothing else, the last of them was the image.
    final = [part for part in parts if not part.get("thought")] or parts[-1:]
    blocked = isinstance(feedback := answer.get("promptFeedback"), dict) and feedback.get("blockReason")
    if not final and (blocked or candidates):
        raise _without_image(wire, reply, candidates)
    return wire.images([next(_strings(part)) for part in final], reply)


def _strings(part: dict[str, Any]) -> Iterator[str]:
    """What in a part can be an image: inline bytes or a file's URL, in both spellings; or a data: URL as text."""
    for name in ("inlineData", "inline_data", "fileData", "file_data", "image"):
        yield from strings_of(part.get(name))
    if isinstance(text := part.get("text"), str) and text.strip().startswith("data:image/"):
        yield text


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content")
    parts = _list(content.get("parts")) if isinstance(content, dict) else []
    return [part for part in parts if isinstance(part, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _without_image(wire: Wire, reply: Reply, candidates: list[dict[str, Any]]) -> ProviderError:
    feedback = reply.object().get("promptFeedback")
    if isinstance(feedback, dict) and (blocked := feedback.get("blockReason")):
        # No candidate was made: nothing but the prompt itself can have been billed.
        said = f"prompt blocked ({blocked}) {feedback.get('blockReasonMessage') or ''}"
        return wire.failure(ContentPolicy, said, status=reply.status)
    reasons = [str(candidate.get("finishReason")) for candidate in candidates if candidate.get("finishReason")]
    texts = [str(candidate.get("finishMessage") or "") for candidate in candidates]
    texts += [str(part["text"]) for candidate in candidates for part in _parts(candidate) if part.get("text")]
    said = f"{', '.join(reasons) or 'no reason given'}. {' '.join(texts)}"
    if _BLOCKED.intersection(reasons):
        return wire.failure(ContentPolicy, said, status=reply.status, possibly_charged=True)
    public = "{name} answered with text instead of an image." if any(texts) else ""
    return wire.failure(BadOutput, said, public=public, status=reply.status, possibly_charged=True)


def _failure(wire: Wire, reply: Reply) -> ProviderError:
    """What an error answer means: by its reason and status word where there are some, else by its number."""
    error = reply.object().get("error")
    error = error if isinstance(error, dict) else {}
    details = [detail for detail in _list(error.get("details")) if isinstance(detail, dict)]
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in details):  # a 400, not a 401
        return wire.failure_of(Unauthorised, reply)
    if error.get("status") == "FAILED_PRECONDITION" and "billing" in message_of(reply.object()).lower():
        return wire.failure_of(OutOfCredit, reply)
    if reply.status == 429:
        return wire.failure_of(RateLimited, reply, retry_after=_retry_delay(details) or retry_after(reply))
    return wire.failure_by_status(reply)


def _retry_delay(details: list[dict[str, Any]]) -> float | None:
    """Seconds from google.rpc.RetryInfo: {"retryDelay": "34s"}."""
    for detail in details:
        if match := _SECONDS.fullmatch(str(detail.get("retryDelay") or "")):
            return float(match[1])
    return None
