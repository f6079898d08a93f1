"""fal: submit to the queue, poll the status URL it returns, then always fetch the result.

There is no FAILED status: a job that failed is COMPLETED too, and only the result call tells. The returned URLs are
used as they are, because they drop the model's sub-path. An account without a queue address uses `fal.run`, one
synchronous request, where the time to the first byte means something but a lost answer is lost for good.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

import httpx

from providers.errors import (
    BadOutput,
    Cancelled,
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
from providers.request import Answer, ProviderCall, SourceImage
from providers.transfer.download import fetch
from providers.transfer.upload import put

from .base import Account, Deadline
from .sources import file_name_of, with_images, with_inline_images
from .wire import Reply, Wire, duration_of, growing_pauses, retry_after

INLINE = 4 * 1024 * 1024  # bytes of source images that travel as data URIs; fal finds larger ones slow
KEEP_FILES = 3600  # seconds fal keeps the result; we fetch it at once and want no copy to linger

_NO_CREDIT = ("exhausted balance", "user is locked", "insufficient", "billing")
_UNREADABLE = frozenset({"file_download_error", "image_load_error"})
_DELAYED = frozenset({"request_timeout", "startup_timeout", "generation_timeout"})
_CANCELLED = frozenset({"client_cancelled", "client_disconnected"})


class Fal:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"Authorization": f"Key {account.api_key}"})
        answer = _from_queue(wire, call) if account.urls.get("queue") else _from_run(wire, call)
        return replace(answer, duration=timedelta(seconds=time.monotonic() - started))


def _from_run(wire: Wire, call: ProviderCall) -> Answer:
    reply = _post(wire, "run", call)
    if not reply.ok:
        raise _failure(reply, ran=False)
    answer = _answer(wire, reply, {})
    return replace(
        answer,
        ttfb=timedelta(seconds=reply.ttfb),
        provider_request_id=reply.headers.get("x-fal-request-id", ""),
    )


def _from_queue(wire: Wire, call: ProviderCall) -> Answer:
    reply = _post(wire, "queue", call)
    if not reply.ok:
        raise _failure(reply, ran=False)
    ticket = reply.object()
    urls = [str(ticket.get(name) or "") for name in ("status_url", "response_url", "cancel_url")]
    if not all(wire.account.owns(url) for url in urls):
        raise BadOutput(f"fal answered without usable addresses: {reply.text()}", possibly_charged=True)
    status_url, response_url, cancel_url = urls
    try:
        status = _completed(wire, status_url)
    except BaseException:  # also when the worker is told to stop: nobody would fetch the image
        wire.cancel("PUT", cancel_url)
        raise
    result = wire.ask_patiently(response_url, _is_hiccup)
    if not result.ok:
        raise _failure(result, ran=True)
    return replace(_answer(wire, result, status), provider_request_id=str(ticket.get("request_id") or ""))


def _post(wire: Wire, place: str, call: ProviderCall) -> Reply:
    headers = {
        # fal drops a job that has not started by then, so a job we no longer wait for never starts.
        "X-Fal-Request-Timeout": f"{max(1.1, wire.deadline.check('asking fal')):.1f}",
        "X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": KEEP_FILES}),
    }
    url = f"{wire.account.urls[place].rstrip('/')}/{call.endpoint.strip('/')}"
    if place == "queue" and wire.account.webhook_url:
        url += f"?{urlencode({'fal_webhook': wire.account.webhook_url})}"
    return wire.create(url, json=_arguments(wire, call), headers=headers)


def _arguments(wire: Wire, call: ProviderCall) -> dict[str, Any]:
    if not wire.account.urls.get("rest"):
        return with_inline_images(call)
    return with_images(call, lambda image: _uploaded(wire, image), inline=INLINE)


def _uploaded(wire: Wire, image: SourceImage) -> str:
    """Uploads a source image in two steps – ask for an address, put the bytes there – and says where it is."""
    url = f"{wire.account.urls['rest'].rstrip('/')}/storage/upload/initiate?storage_type=fal-cdn-v3"
    reply = wire.prepare(url, json={"content_type": image.content_type, "file_name": file_name_of(image)})
    if not reply.ok:
        raise _failure(reply, ran=False)
    places = reply.object()
    target, address = places.get("upload_url"), places.get("file_url")
    if not isinstance(target, str) or not isinstance(address, str):
        raise ProviderFailure(f"fal names no place to upload a source image to: {reply.text()}")
    put(target, image.data, image.content_type, deadline=wire.deadline, trusted=wire.account.loopback_origins)
    return address


def _completed(wire: Wire, status_url: str) -> dict[str, Any]:
    """The status of the job once it is COMPLETED, well or badly."""
    pauses = growing_pauses()
    while True:
        wire.deadline.sleep(next(pauses), "waiting for fal", possibly_charged=True)
        reply = wire.ask_patiently(status_url, _is_hiccup)
        if not reply.ok:
            error = _failure(reply, ran=True)
            error.possibly_charged = True  # whatever is wrong with the question, the job exists
            raise error
        status = reply.object()
        if status.get("status") == "COMPLETED":
            return status


def _answer(wire: Wire, reply: Reply, status: dict[str, Any]) -> Answer:
    output = reply.object()
    files = [file for file in _files(output) if isinstance(file, dict) and isinstance(file.get("url"), str)]
    flags = output.get("has_nsfw_concepts") or output.get("nsfw_content_detected") or []
    flags = flags if isinstance(flags, list) else [flags]
    if flags and all(flags):
        raise ContentPolicy("fal made the image but marked it as unsafe and blackened it.", possibly_charged=True)
    if len(flags) == len(files):  # a marked image is black: not what the model drew
        files = [file for file, flag in zip(files, flags, strict=True) if not flag]
    if not files:
        reason = status.get("error") or "no image in the result"
        raise BadOutput(f"fal reports completion without an image: {reason}", possibly_charged=True)
    trusted = wire.account.loopback_origins
    images = tuple(fetch(file["url"], deadline=wire.deadline, trusted=trusted) for file in files)
    seed = output.get("seed")
    return Answer(
        images=images,
        duration=timedelta(),
        provider_time=_time(output, "timings", "inference") or _time(status, "metrics", "inference_time"),
        billed_units=_billed_units(reply),
        seed=seed if isinstance(seed, int) else None,
    )


def _files(output: dict[str, Any]) -> list[Any]:
    images = output.get("images")
    return images if isinstance(images, list) else [output.get("image")]


def _time(body: dict[str, Any], group: str, name: str) -> timedelta | None:
    times = body.get(group)
    return duration_of(times.get(name)) if isinstance(times, dict) else None


def _billed_units(reply: Reply) -> Decimal | None:
    """What fal says it bills, in units of its price list."""
    try:
        units = Decimal(reply.headers.get("x-fal-billable-units", ""))
    except InvalidOperation:
        return None
    return units if units.is_finite() and 0 <= units < 1_000_000 else None


def _is_hiccup(reply: Reply) -> bool:
    """Trouble of fal's gateway: it comes without the request id. With it, the answer is the job's own."""
    return reply.status == 429 or (reply.status in (502, 503, 504) and "x-fal-request-id" not in reply.headers)


def _problem(reply: Reply) -> tuple[str, set[str]]:
    """(what it says, its error types) from any of fal's error bodies: a list of details, one text, or no JSON."""
    body = reply.object()
    detail = body.get("detail")
    types = {str(body.get("error_type") or ""), reply.headers.get("x-fal-error-type", "")}
    if isinstance(detail, list):
        items = [item for item in detail if isinstance(item, dict)]
        types |= {str(item.get("type") or "") for item in items}
        detail = "; ".join(f"{_place(item.get('loc'))}: {item.get('msg')}" for item in items)
    return f"fal answered {reply.status}: {str(detail or reply.text())[:500]}", types - {""}


def _place(loc: Any) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)


def _failure(reply: Reply, *, ran: bool) -> ProviderError:
    """What an error answer means. `ran`: it is a job's own answer, so GPU time may have been used.

    fal bills no 5xx; a refusal (422) may be billed when the job has run, unless fal says what it bills.
    """
    status, (message, types) = reply.status, _problem(reply)
    units = _billed_units(reply)
    charged = ran if units is None else units > 0
    if "content_policy_violation" in types:
        return ContentPolicy(message, status=status, possibly_charged=charged)
    if types & _UNREADABLE:
        return InputUnreachable(message, status=status)
    if types & _DELAYED or status in (408, 504):
        # Without a request id the gateway gave up on an answer that may still come: the job may be running.
        return TimedOut(message, status=status, possibly_charged="x-fal-request-id" not in reply.headers)
    if types & _CANCELLED or status == 499:
        return Cancelled(message, status=status)
    match status:
        case 402:
            return OutOfCredit(message, status=status)
        case 401 | 403:
            locked = any(sign in message.lower() for sign in _NO_CREDIT)
            return (OutOfCredit if locked else Unauthorised)(message, status=status)
        case 404:
            return NotFound(message, status=status)
        case 429:
            return RateLimited(message, status=status, retry_after=retry_after(reply))
        case 400 | 405 | 409 | 413 | 415 | 422 if "downstream_service_error" not in types:
            return InvalidRequest(message, status=status)
        case _:
            return ProviderFailure(message, status=status)
