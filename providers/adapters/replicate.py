"""Replicate: create a prediction and wait with it (`Prefer: wait`), then poll until its status is final.

A prediction that fails is a 200 or 201 with `status: "failed"` and a text; refusals are recognised from that text.
The endpoint is `owner/name` of an official model, or a version: `owner/name:id` or the bare 64 hex digits.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

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
from providers.request import Answer, GeneratedImage, ProviderCall, SourceImage
from providers.transfer.download import fetch

from .base import Account, Deadline
from .sources import file_name_of, with_images
from .wire import UNREADABLE, Reply, Wire, duration_of, growing_pauses, retry_after

INLINE = 256 * 1024  # bytes of source images; Replicate advises data URIs up to here
LONGEST_WAIT = 60  # seconds; `Prefer: wait=N` takes no more
STOPPABLE_WAIT = 5  # seconds, when the caller may lose interest: between polls a prediction can be cancelled at once
RUNNING = frozenset({"starting", "processing"})

_REFUSED = re.compile(r"nsfw|sensitive|safety|flagged|moderat|content polic|prohibited content|\bE005\b", re.IGNORECASE)
_INVALID = re.compile(r"\bE006\b|invalid input|input validation", re.IGNORECASE)
_LATE = re.compile(r"\bE6716\b|timed? ?out|deadline", re.IGNORECASE)


class Replicate:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"Authorization": f"Bearer {account.api_key}"})
        reply = _create(wire, call)
        prediction = reply.object()
        ttfb = None if _is_running(prediction) else timedelta(seconds=reply.ttfb)
        prediction = _finished(wire, prediction)
        images = tuple(_fetch(wire, url) for url in _outputs(prediction))
        return Answer(
            images=images,
            duration=timedelta(seconds=time.monotonic() - started),
            ttfb=ttfb,
            provider_time=_predict_time(prediction),
            provider_request_id=str(prediction.get("id") or ""),
        )


def _create(wire: Wire, call: ProviderCall) -> Reply:
    base = wire.account.urls["base"].rstrip("/")
    body: dict[str, Any] = {"input": with_images(call, lambda image: _uploaded(wire, image), inline=INLINE)}
    if ":" in call.endpoint or "/" not in call.endpoint:
        url, body["version"] = f"{base}/predictions", call.endpoint
    else:
        url = f"{base}/models/{call.endpoint}/predictions"
    if wire.account.webhook_url:
        body |= {"webhook": wire.account.webhook_url, "webhook_events_filter": ["completed"]}
    left = wire.deadline.check("asking Replicate")
    # Should this process die, Replicate itself ends the prediction. Whole minutes, so that our own limit comes first.
    headers = {"Cancel-After": f"{math.ceil((left + 5) / 60)}m"}
    if left >= 2:
        longest = STOPPABLE_WAIT if wire.deadline.may_be_stopped else LONGEST_WAIT
        headers["Prefer"] = f"wait={min(longest, int(left) - 1)}"
    reply = wire.create(url, json=body, headers=headers)
    if not reply.ok:
        raise _refusal(reply)
    if not isinstance(reply.object().get("status"), str) or not reply.object().get("id"):
        raise BadOutput(f"Replicate answered without a prediction: {reply.text()}", possibly_charged=True)
    return reply


def _uploaded(wire: Wire, image: SourceImage) -> str:
    """Hands a source image to the Files API, which keeps it for a day; its address there."""
    content = {"content": (file_name_of(image), image.data, image.content_type)}
    reply = wire.prepare(f"{wire.account.urls['base'].rstrip('/')}/files", files=content)
    if not reply.ok:
        raise _refusal(reply)
    urls = reply.object().get("urls")
    address = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(address, str):
        raise ProviderFailure(f"Replicate took a source image but does not say where it is: {reply.text()}")
    return address


def _finished(wire: Wire, prediction: dict[str, Any]) -> dict[str, Any]:
    """The prediction once it has succeeded; raises what it failed with. Cancels it when we give up waiting."""
    url = _own_url(wire, prediction, "get", "")
    pauses = growing_pauses()
    try:
        while _is_running(prediction):
            wire.deadline.sleep(next(pauses), "waiting for Replicate", possibly_charged=True)
            reply = wire.ask_patiently(url, _is_hiccup)
            if not reply.ok:
                raise _charged(_refusal(reply))
            prediction = reply.object()
    except BaseException as error:  # also when the worker is told to stop: nobody would fetch the image
        reply_to_cancel = wire.cancel("POST", _own_url(wire, prediction, "cancel", "/cancel"))
        if isinstance(error, TimedOut | Cancelled) and reply_to_cancel is not None:
            error.possibly_charged = bool(reply_to_cancel.object().get("started_at"))
        raise
    if prediction.get("status") != "succeeded":
        raise _failure(prediction)
    return prediction


def _own_url(wire: Wire, prediction: dict[str, Any], name: str, suffix: str) -> str:
    """The address Replicate gave for the prediction, if our key may go there; else the documented one."""
    urls = prediction.get("urls")
    given = str(urls.get(name) or "") if isinstance(urls, dict) else ""
    if wire.account.owns(given):
        return given
    return f"{wire.account.urls['base'].rstrip('/')}/predictions/{prediction.get('id')}{suffix}"


def _outputs(prediction: dict[str, Any]) -> Iterator[str]:
    output = prediction.get("output")
    urls = [url for url in (output if isinstance(output, list) else [output]) if isinstance(url, str) and url]
    if not urls:
        removed = " (Replicate has removed it)" if prediction.get("data_removed") else ""
        raise BadOutput(f"Replicate reports success without an image{removed}.", possibly_charged=True)
    yield from urls


def _fetch(wire: Wire, url: str) -> GeneratedImage:
    """Downloads an output. Files are public in practice, but the documentation asks for the key: the second try."""
    trusted = wire.account.loopback_origins
    try:
        return fetch(url, deadline=wire.deadline, trusted=trusted)
    except BadOutput as error:
        host = urlsplit(url).hostname or ""
        if error.status not in (401, 403) or not f".{host}".endswith(".replicate.delivery"):
            raise
        return fetch(url, deadline=wire.deadline, trusted=trusted, headers=wire.headers)


def _is_hiccup(reply: Reply) -> bool:
    return reply.status == 429 or reply.status >= 500


def _is_running(prediction: dict[str, Any]) -> bool:
    return str(prediction.get("status")) in RUNNING


def _predict_time(prediction: dict[str, Any]) -> timedelta | None:
    metrics = prediction.get("metrics")
    return duration_of(metrics.get("predict_time")) if isinstance(metrics, dict) else None


def _charged(error: ProviderError) -> ProviderError:
    error.possibly_charged = True
    return error


def _refusal(reply: Reply) -> ProviderError:
    """What an HTTP error status means."""
    status = reply.status
    problem = reply.object()
    message = f"Replicate answered {status}: {problem.get('detail') or problem.get('title') or reply.text()}"
    match status:
        case 401 | 403:
            return Unauthorised(message, status=status)
        case 402:
            return OutOfCredit(message, status=status)
        case 404:
            return NotFound(message, status=status)
        case 429:
            return RateLimited(message, status=status, retry_after=retry_after(reply))
        case 408 | 504:
            return TimedOut(message, status=status, possibly_charged=True)
        case _ if status >= 500 or status < 400:
            return ProviderFailure(message, status=status)
        case _:
            return InvalidRequest(message, status=status)


def _failure(prediction: dict[str, Any]) -> ProviderError:
    """What a final status other than `succeeded` means. Time a failed prediction has run for may be billed."""
    status = prediction.get("status")
    text = str(prediction.get("error") or "no reason given")[:500]
    charged = bool(_predict_time(prediction))
    if status == "aborted":  # ended by a deadline before it started; not billed
        return TimedOut(f"Replicate ended the prediction before it started: {text}")
    if status == "canceled" and _LATE.search(text):
        return TimedOut(f"Replicate ended the prediction: {text}", possibly_charged=True)
    if status == "canceled":
        return Cancelled("The prediction was cancelled at Replicate.", possibly_charged=True)
    if status != "failed":
        return ProviderFailure(f"Replicate reports the unknown status {status!r}.", possibly_charged=True)
    for pattern, kind in (
        (_REFUSED, ContentPolicy), (UNREADABLE, InputUnreachable), (_INVALID, InvalidRequest), (_LATE, TimedOut),
    ):  # fmt: skip
        if pattern.search(text):
            return kind(f"Replicate: {text}", possibly_charged=charged)
    return ProviderFailure(f"The prediction failed at Replicate: {text}", possibly_charged=charged)
