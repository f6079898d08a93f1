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
from providers.transfer.image_type import decode_base64, measured

from .base import Account, Deadline
from .sources import base64_of, check_size
from .wire import UNREADABLE, Reply, Wire, retry_after

MAX_INLINE = 14 * 1024 * 1024  # a request may have 20 MB, and base64 adds a third

# Where an argument goes in the body; what is in neither belongs to generationConfig itself.
_IMAGE_CONFIG = frozenset({"aspectRatio", "imageSize"})
_TOP_LEVEL = frozenset({"safetySettings", "systemInstruction", "tools", "toolConfig"})

_REFUSED = frozenset(
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
            raise _failure(reply)
        answer = reply.object()
        usage = answer.get("usageMetadata")
        return Answer(
            images=_images(reply, answer),
            duration=timedelta(seconds=time.monotonic() - started),
            ttfb=timedelta(seconds=reply.ttfb),
            provider_request_id=str(answer.get("responseId") or ""),
            usage=usage if isinstance(usage, dict) else None,
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


def _images(reply: Reply, answer: dict[str, Any]) -> tuple[GeneratedImage, ...]:
    """The images of all candidates; raises what the answer says instead when there is none."""
    candidates = [each for each in _list(answer.get("candidates")) if isinstance(each, dict)]
    images = tuple(measured(decode_base64(data)) for candidate in candidates for data in _inline(_parts(candidate)))
    if not images:
        raise _without_image(reply, answer, candidates)
    return images


def _inline(parts: list[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        inline = part.get("inlineData")
        if part.get("thought") or not isinstance(inline, dict):  # a thought is a sketch on the way to the image
            continue
        if isinstance(data := inline.get("data"), str):
            yield data


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content")
    parts = _list(content.get("parts")) if isinstance(content, dict) else []
    return [part for part in parts if isinstance(part, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _without_image(reply: Reply, answer: dict[str, Any], candidates: list[dict[str, Any]]) -> ProviderError:
    feedback = answer.get("promptFeedback")
    if isinstance(feedback, dict) and (blocked := feedback.get("blockReason")):
        # No candidate was made: nothing but the prompt itself can have been billed.
        text = feedback.get("blockReasonMessage") or ""
        return ContentPolicy(f"Gemini blocked the prompt ({blocked}). {text}".strip(), status=reply.status)
    reasons = [str(candidate.get("finishReason")) for candidate in candidates if candidate.get("finishReason")]
    said = " ".join(
        [str(candidate.get("finishMessage") or "") for candidate in candidates]
        + [str(part["text"]) for candidate in candidates for part in _parts(candidate) if part.get("text")]
    ).strip()
    message = f"Gemini answered without an image ({', '.join(reasons) or 'no reason given'}). {said[:300]}".strip()
    kind = ContentPolicy if _REFUSED.intersection(reasons) else BadOutput
    return kind(message, status=reply.status, possibly_charged=True)


def _failure(reply: Reply) -> ProviderError:
    """What an error answer means: by its reason and status word where there are some, else by its number."""
    status = reply.status
    error = reply.object().get("error")
    error = error if isinstance(error, dict) else {}
    details = [each for each in _list(error.get("details")) if isinstance(each, dict)]
    text = str(error.get("message") or reply.text())[:500]
    message = f"Gemini answered {status}: {text}"
    if any(each.get("reason") == "API_KEY_INVALID" for each in details):  # a 400, not a 401
        return Unauthorised(message, status=status)
    if status == 402 or (error.get("status") == "FAILED_PRECONDITION" and "billing" in text.lower()):
        return OutOfCredit(message, status=status)
    match status:
        case 401 | 403:
            return Unauthorised(message, status=status)
        case 404:
            return NotFound(message, status=status)
        case 429:
            return RateLimited(message, status=status, retry_after=_retry_delay(details) or retry_after(reply))
        case 408 | 504:
            return TimedOut(message, status=status, possibly_charged=True)
        case _ if status >= 500 or status < 400:
            return ProviderFailure(message, status=status)
        case _:
            return (InputUnreachable if UNREADABLE.search(text) else InvalidRequest)(message, status=status)


def _retry_delay(details: list[dict[str, Any]]) -> float | None:
    """Seconds from google.rpc.RetryInfo: {"retryDelay": "34s"}."""
    for each in details:
        if found := _SECONDS.fullmatch(str(each.get("retryDelay") or "")):
            return float(found[1])
    return None
