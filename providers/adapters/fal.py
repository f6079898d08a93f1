"""fal: submit to the queue, poll the status URL it returns, then always fetch the result.

A submission whose answer is lost on the way is looked for in fal's list of requests, by a seed that is ours alone.
There is no FAILED status: a job that failed is COMPLETED too, and only the result says so. The returned URLs are used
as they are, because they drop the model's sub-path. An account without a queue URL uses `fal.run`, one synchronous
request, where the time to the first byte means something but a lost answer is lost for good.
"""

from __future__ import annotations

import json
import re
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
    OutOfCredit,
    ProviderError,
    ProviderFailure,
    TimedOut,
)
from providers.request import Answer, ProviderCall, SourceImage, Ticket

from . import lost_jobs
from .base import Account, Deadline
from .failures import kind_of_status, message_of
from .images import strings_of
from .open_jobs import give_up, job_stays_open
from .reply import Reply, duration_of
from .sources import file_name_of, with_images, with_inline_images
from .wire import Wire, growing_pauses

INLINE = 4 * 1024 * 1024  # bytes of source images that travel as data URIs; fal finds larger ones slow
LOOKS = (1.0, 2.0, 4.0, 8.0)  # seconds before each look at the list, which shows a request once it has ended
KEEP_FILES = 3600  # seconds fal keeps the result; we fetch it at once and want no copy to linger

_REQUEST_ID = re.compile(r"[\w-]{1,100}")  # it becomes part of a URL
_NO_CREDIT = ("exhausted balance", "user is locked", "insufficient", "billing")
_UNREADABLE = frozenset({"file_download_error", "image_load_error"})
_DELAYED = frozenset({"request_timeout", "startup_timeout", "generation_timeout"})
_CANCELLED = frozenset({"client_cancelled", "client_disconnected"})
_ENDED = frozenset({"COMPLETED", "FAILED", "ERROR", "CANCELLED"})  # fal documents the first; the result says what it is
_STATUSES: dict[int, type[ProviderError]] = {409: InvalidRequest}


class Fal:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"Authorization": f"Key {account.api_key}"})
        is_queued = call.ticket is not None or account.urls.get("queue")
        answer = _from_queue(wire, call) if is_queued else _from_run(wire, call)
        return replace(answer, duration=timedelta(seconds=time.monotonic() - started))


def _from_run(wire: Wire, call: ProviderCall) -> Answer:
    reply = _post(wire, "run", call)
    if not reply.ok:
        raise _failure(wire, reply, ran=False)
    answer = _answer(wire, reply, {})
    return replace(
        answer,
        ttfb=timedelta(seconds=reply.ttfb),
        provider_request_id=wire.redacted(reply.headers.get("x-fal-request-id"), 120),
    )


def _from_queue(wire: Wire, call: ProviderCall) -> Answer:
    ticket = _submit(wire, call) if call.ticket is None else call.ticket
    try:
        status = _completed(wire, ticket["status_url"])
    except BaseException as error:  # also when the worker is stopped: nobody would fetch the image
        give_up(error, has_agreed=wire.cancel("PUT", ticket["cancel_url"]) is not None)
        raise
    with job_stays_open():
        result = wire.poll(ticket["response_url"], _is_hiccup)
        if not result.ok:
            raise _failure(wire, result, ran=True)
        return replace(_answer(wire, result, status), provider_request_id=wire.redacted(ticket["id"], 120))


def _submit(wire: Wire, call: ProviderCall) -> Ticket:
    """The ticket of a new job; of one that was made, though the answer with its id did not arrive, too."""
    since, call = lost_jobs.earliest_start(), lost_jobs.with_own_seed(call)
    try:
        reply = _post(wire, "queue", call)
        if not reply.ok:
            raise _failure(wire, reply, ran=False)
        ticket = _ticket(wire, reply)
    except ProviderError as error:
        request_id = _listed(wire, call, since) if error.possibly_charged else ""
        if not request_id:
            raise
        ticket = _documented_ticket(wire, call, request_id)
    return wire.submitted(call, **ticket)


def _ticket(wire: Wire, reply: Reply) -> dict[str, str]:
    job = reply.object()
    urls = {name: str(job.get(name) or "") for name in ("status_url", "response_url", "cancel_url")}
    if not all(map(wire.account.owns, urls.values())):
        said = f"no usable URLs in {reply.text()}"
        raise wire.failure(
            BadOutput, said, public="{name} accepted the job without usable URLs.", possibly_charged=True
        )
    return {"id": str(job.get("request_id") or ""), **urls}


def _documented_ticket(wire: Wire, call: ProviderCall, request_id: str) -> dict[str, str]:
    """As fal builds its URLs: without what follows owner and application."""
    application = "/".join(call.endpoint.strip("/").split("/")[:2])
    url = f"{wire.account.urls['queue'].rstrip('/')}/{application}/requests/{request_id}"
    return {"id": request_id, "status_url": f"{url}/status", "response_url": url, "cancel_url": f"{url}/cancel"}


def _listed(wire: Wire, call: ProviderCall, since: str) -> str:
    """The id of the request that this call has made; "" where the list does not show it.

    Not looked for among edits: their rows have the source images in them, megabytes each.
    """
    if not wire.account.urls.get("api") or call.images:
        return ""
    query = {"endpoint_id": call.endpoint.strip("/"), "start": since, "expand": "payloads", "limit": 100}
    url = f"{wire.account.urls['api'].rstrip('/')}/models/requests/by-endpoint?{urlencode(query)}"
    usual = wire.deadline.usual  # seconds: a slow model's job is not in the list before
    pauses = (*LOOKS, usual) if usual > LOOKS[-1] else LOOKS
    row = lost_jobs.find(wire, call, url, pauses, rows="items", arguments="json_input")
    request_id = row.get("request_id") if row else None
    return request_id if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id) else ""


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
    """Uploads a source image in two steps – ask for a URL, put the bytes there – and returns where it is."""
    url = f"{wire.account.urls['rest'].rstrip('/')}/storage/upload/initiate?storage_type=fal-cdn-v3"
    reply = wire.prepare(url, json={"content_type": image.content_type, "file_name": file_name_of(image)})
    if not reply.ok:
        raise _failure(wire, reply, ran=False)
    target, file_url = reply.object().get("upload_url"), reply.object().get("file_url")
    if not isinstance(target, str) or not isinstance(file_url, str):
        said = f"no URL to upload to in {reply.text()}"
        raise wire.failure(ProviderFailure, said, public="{name} did not take a source image.")
    wire.put(target, image)
    return file_url


def _completed(wire: Wire, status_url: str) -> dict[str, Any]:
    """The status of the job once it is COMPLETED, well or badly."""
    pauses = growing_pauses(wire.deadline.usual)
    while True:
        wire.deadline.sleep(next(pauses), "waiting for fal", possibly_charged=True)
        reply = wire.poll(status_url, _is_hiccup)
        if not reply.ok:
            error = _failure(wire, reply, ran=True)
            error.possibly_charged = True  # whatever is wrong with the question, the job exists
            raise error
        status = reply.object()
        if str(status.get("status")) in _ENDED:
            return status


def _answer(wire: Wire, reply: Reply, status: dict[str, Any]) -> Answer:
    output = reply.object()
    files = _files(output)
    flags = output.get("has_nsfw_concepts") or output.get("nsfw_content_detected") or []
    flags = flags if isinstance(flags, list) else [flags]
    if flags and all(flags):
        raise wire.failure(
            ContentPolicy,
            public="{name} made the image but marked it as unsafe and blackened it.",
            possibly_charged=True,
        )
    if len(flags) == len(files):  # a marked image is black: not what the model drew
        files = [file for file, flag in zip(files, flags, strict=True) if not flag]
    if not reply.json or (not files and status.get("error")):
        raise wire.failure(BadOutput, status.get("error") or reply.text(), possibly_charged=True)
    seed = output.get("seed")
    return Answer(
        images=wire.images(files, reply),
        duration=timedelta(),
        provider_time=_time(output, "timings", "inference") or _time(status, "metrics", "inference_time"),
        billed_units=_billed_units(reply),
        seed=seed if isinstance(seed, int) else None,
    )


def _files(output: dict[str, Any]) -> list[Any]:
    for name in ("images", "image", "output", "data"):
        value = output.get(name)
        files = value if isinstance(value, list) else [value]
        if files := [file for file in files if any(strings_of(file))]:
            return files
    return []


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


def _types_of(reply: Reply) -> set[str]:
    """The error types of any of fal's error bodies: of the whole, of each detail, or in a header."""
    body = reply.object()
    detail = body.get("detail")
    items = [item for item in detail if isinstance(item, dict)] if isinstance(detail, list) else []
    types = {str(body.get("error_type") or ""), reply.headers.get("x-fal-error-type", "")}
    return (types | {str(item.get("type") or "") for item in items}) - {""}


def _failure(wire: Wire, reply: Reply, *, ran: bool) -> ProviderError:
    """What an error answer means. `ran`: it is a job's own answer, so GPU time may have been used.

    fal bills no 5xx; a rejection (422) may be billed when the job has run, unless fal says what it bills.
    """
    types, units = _types_of(reply), _billed_units(reply)
    kind = kind_of_status(reply.status, _STATUSES)
    if "content_policy_violation" in types:
        return wire.failure_of(ContentPolicy, reply, possibly_charged=ran if units is None else units > 0)
    if types & _UNREADABLE:
        return wire.failure_of(InputUnreachable, reply)
    if types & _DELAYED or kind is TimedOut:
        # Without a request id the gateway gave up on an answer that may still come: the job may be running.
        return wire.failure_of(TimedOut, reply, possibly_charged="x-fal-request-id" not in reply.headers)
    if types & _CANCELLED:
        return wire.failure_of(Cancelled, reply)
    if reply.status in (401, 403) and any(sign in message_of(reply.object()).lower() for sign in _NO_CREDIT):
        return wire.failure_of(OutOfCredit, reply)
    if kind is InvalidRequest and "downstream_service_error" in types:
        return wire.failure_of(ProviderFailure, reply)
    return wire.failure_by_status(reply, _STATUSES)
