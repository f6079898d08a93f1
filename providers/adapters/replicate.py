"""Replicate: create a prediction and wait with it (`Prefer: wait`), then poll until its status is final.

Where the caller records jobs, the first answer is not waited with: it brings the id that finds the prediction again.
An answer that is lost on the way is looked for in Replicate's list of predictions, by a seed that is ours alone.

A prediction that fails is a 200 or 201 with `status: "failed"` and a text; policy refusals are recognised from that
text. A status that we do not know is taken for one on the way: the deadline bounds the wait, and the image is paid for.
The endpoint is `owner/name` of an official model, or a version: `owner/name:id` or the bare 64 hex digits.
"""

from __future__ import annotations

import math
import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from providers.errors import (
    BadOutput,
    Cancelled,
    ContentPolicy,
    InputUnreachable,
    InvalidRequest,
    ProviderError,
    ProviderFailure,
    TimedOut,
)
from providers.request import Answer, GeneratedImage, ProviderCall, SourceImage, Ticket

from . import lost_jobs
from .base import Account, Deadline
from .open_jobs import give_up, job_stays_open
from .reply import Reply, duration_of
from .sources import file_name_of, with_images
from .wire import UNREADABLE, Wire, growing_pauses

INLINE = 256 * 1024  # bytes of source images; Replicate advises data URIs up to here
LONGEST_WAIT = 60  # seconds; `Prefer: wait=N` takes no more
STOPPABLE_WAIT = 5  # seconds, when the caller may leave: between polls a prediction can be cancelled at once
LOOKS = (0.5, 2.0, 5.0)  # seconds before each look at the list
FINAL = frozenset({"succeeded", "failed", "canceled", "cancelled", "aborted"})

_MODERATED = re.compile(
    r"nsfw|sensitive|safety|flagged|moderat|content polic|prohibited content|\bE005\b", re.IGNORECASE
)
_INVALID = re.compile(r"\bE006\b|invalid input|input validation", re.IGNORECASE)
_LATE = re.compile(r"\bE6716\b|timed? ?out|deadline", re.IGNORECASE)


class Replicate:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"Authorization": f"Bearer {account.api_key}"})
        reply, ttfb = _answered(wire, call) if call.ticket is None else (_finished(wire, call.ticket), None)
        prediction = reply.object()
        if prediction["status"] != "succeeded":
            raise _failure(wire, prediction)
        with job_stays_open():
            return Answer(
                images=_images(wire, reply),
                duration=timedelta(seconds=time.monotonic() - started),
                ttfb=ttfb,
                provider_time=_predict_time(prediction),
                provider_request_id=wire.redacted(prediction.get("id"), 120),
                seed=_seed(prediction, call.spare_seed),
            )


def _answered(wire: Wire, call: ProviderCall) -> tuple[Reply, timedelta | None]:
    """The answer with a new prediction that is final, and the time to its first byte where it was not polled.

    A prediction that was made, though the answer with its id did not arrive, is found again.
    """
    since, call = lost_jobs.earliest_start(), lost_jobs.with_own_seed(call)
    try:
        reply = _create(wire, call)
    except ProviderError as error:
        prediction = _listed(wire, call, since) if error.possibly_charged else None
        if prediction is None:
            raise
        return _finished(wire, wire.submitted(call, **_ticket(wire, prediction))), None
    if _is_final(reply.object()):
        return reply, timedelta(seconds=reply.ttfb)
    return _finished(wire, wire.submitted(call, **_ticket(wire, reply.object()))), None


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
    if left >= 2 and call.on_submitted is None:  # else the id that finds it again must come before the image
        longest = STOPPABLE_WAIT if wire.deadline.may_be_stopped else LONGEST_WAIT
        headers["Prefer"] = f"wait={min(longest, int(left) - 1)}"
    reply = wire.create(url, json=body, headers=headers)
    if not reply.ok:
        raise wire.failure_by_status(reply)
    if not reply.object().get("id") and not _is_final(reply.object()):  # it could not be found again
        said = f"no prediction in {reply.text()}"
        raise wire.failure(BadOutput, said, public="{name} answered without a prediction.", possibly_charged=True)
    return reply


def _listed(wire: Wire, call: ProviderCall, since: str) -> dict[str, Any] | None:
    url = f"{wire.account.urls['base'].rstrip('/')}/predictions?{urlencode({'created_after': since})}"
    return lost_jobs.find(wire, call, url, LOOKS, rows="results", arguments="input")


def _uploaded(wire: Wire, image: SourceImage) -> str:
    """Uploads a source image to the Files API, which stores it for a day; returns its URL there."""
    content = {"content": (file_name_of(image), image.data, image.content_type)}
    reply = wire.prepare(f"{wire.account.urls['base'].rstrip('/')}/files", files=content)
    if not reply.ok:
        raise wire.failure_by_status(reply)
    urls = reply.object().get("urls")
    file_url = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(file_url, str):
        said = f"no URL of the file in {reply.text()}"
        raise wire.failure(ProviderFailure, said, public="{name} did not take a source image.")
    return file_url


def _finished(wire: Wire, ticket: Ticket) -> Reply:
    """The answer with the prediction, once it is final. Cancels it when we give up waiting."""
    pauses = growing_pauses(wire.deadline.usual)
    try:
        while True:
            wire.deadline.sleep(next(pauses), "waiting for Replicate", possibly_charged=True)
            reply = wire.poll(ticket["get"], _is_hiccup)
            if not reply.ok:
                error = wire.failure_by_status(reply)
                error.possibly_charged = True  # whatever is wrong with the poll, the prediction exists
                raise error
            if _is_final(reply.object()):
                return reply
    except BaseException as error:  # also when the worker is stopped: nobody would fetch the image
        cancelled = wire.cancel("POST", ticket["cancel"])
        has_agreed = cancelled is not None and cancelled.object().get("status") != "succeeded"
        if isinstance(error, TimedOut | Cancelled) and cancelled is not None and has_agreed:
            error.possibly_charged = bool(cancelled.object().get("started_at"))
        give_up(error, has_agreed=has_agreed)
        raise


def _ticket(wire: Wire, prediction: dict[str, Any]) -> dict[str, str]:
    return {"get": _own_url(wire, prediction, "get", ""), "cancel": _own_url(wire, prediction, "cancel", "/cancel")}


def _own_url(wire: Wire, prediction: dict[str, Any], name: str, suffix: str) -> str:
    """The URL Replicate gave for the prediction, if our key may go there; else the documented one."""
    urls = prediction.get("urls")
    given = str(urls.get(name) or "") if isinstance(urls, dict) else ""
    if wire.account.owns(given):
        return given
    return f"{wire.account.urls['base'].rstrip('/')}/predictions/{prediction.get('id')}{suffix}"


def _images(wire: Wire, reply: Reply) -> tuple[GeneratedImage, ...]:
    prediction = reply.object()
    output = prediction.get("output")
    if isinstance(output, dict) and isinstance(output.get("images"), list):
        output = output["images"]
    try:
        return wire.images(output if isinstance(output, list) else [output], reply, retry_with_key=_is_delivery)
    except BadOutput as error:
        if prediction.get("data_removed"):
            error.detail = f"Replicate has removed the data of the prediction. {error.detail}"
        raise


def _is_delivery(url: str) -> bool:
    """Files are public in practice, but the documentation asks for the key: it goes to Replicate's own file host."""
    return url.startswith("https://") and f".{urlsplit(url).hostname or ''}".endswith(".replicate.delivery")


def _is_hiccup(reply: Reply) -> bool:
    return reply.status == 429 or reply.status >= 500


def _is_final(prediction: dict[str, Any]) -> bool:
    return prediction.get("status") in FINAL if isinstance(prediction.get("status"), str) else False


def _predict_time(prediction: dict[str, Any]) -> timedelta | None:
    metrics = prediction.get("metrics")
    return duration_of(metrics.get("predict_time")) if isinstance(metrics, dict) else None


def _seed(prediction: dict[str, Any], name: str) -> int | None:
    """That we have chosen, so that a caller can have the same image once more."""
    given = prediction.get("input")
    seed = given.get(name) if isinstance(given, dict) else None
    return seed if isinstance(seed, int) else None


def _failure(wire: Wire, prediction: dict[str, Any]) -> ProviderError:
    """What a final status other than `succeeded` means. Time a failed prediction has run for may be billed."""
    status, text = prediction["status"], str(prediction.get("error") or "no reason given")
    charged = bool(_predict_time(prediction))
    if status == "aborted":  # ended by a deadline before it started; not billed
        return wire.failure(TimedOut, f"aborted: {text}", public="{name} ended the prediction before it started.")
    if status != "failed":
        ended = TimedOut if _LATE.search(text) else Cancelled
        return wire.failure(ended, f"{status}: {text}", possibly_charged=True)
    meanings: tuple[tuple[re.Pattern[str], type[ProviderError]], ...] = (
        (_MODERATED, ContentPolicy), (UNREADABLE, InputUnreachable), (_INVALID, InvalidRequest), (_LATE, TimedOut),
    )  # fmt: skip
    for pattern, kind in meanings:
        if pattern.search(text):
            return wire.failure(kind, text, possibly_charged=charged)
    return wire.failure(ProviderFailure, text, possibly_charged=charged)
