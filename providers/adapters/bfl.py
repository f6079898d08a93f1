"""Black Forest Labs: submit a task, then poll the URL the answer names until its status is final.

That URL is on the cluster that took the task, somewhere under bfl.ai, so it must be used as given – and only there,
because our key goes along. A task cannot be cancelled, and its result is available for ten minutes only. A status that
we do not know is taken for one on the way: the deadline bounds the wait, and the image is paid for. Prices are in
credits of one US cent, and every accepted task says what it costs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from providers.errors import BadOutput, ContentPolicy, InputUnreachable, ProviderError, ProviderFailure
from providers.request import Answer, ProviderCall, Ticket

from .base import Account, Deadline
from .open_jobs import job_stays_open
from .reply import Reply, duration_of
from .sources import base64_of, check_size
from .wire import UNREADABLE, Wire, growing_pauses

CREDIT = Decimal("0.01")  # USD
MAX_INLINE = 15 * 1024 * 1024  # 20 MB of JSON with images in base64

_MODERATED = frozenset({"Request Moderated", "Content Moderated"})
_FAILED = frozenset({"Error", "Failed", "Cancelled", "Canceled"})
_LOST = "Task not found"


class BlackForestLabs:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"x-key": account.api_key})
        ticket = _submit(wire, call) if call.ticket is None else call.ticket
        with job_stays_open():
            reply = _finished(wire, ticket["polling_url"])
            task = reply.object()
            result = task.get("result")
            fields = result if isinstance(result, dict) else {}
            images = wire.images([fields.get("sample") or fields.get("samples") or result], reply)
        seed, billed = fields.get("seed"), _cost(task)
        return Answer(
            images=images,
            duration=timedelta(seconds=time.monotonic() - started),
            provider_time=_time(fields),
            cost=_cost(ticket) if billed is None else billed,
            provider_request_id=wire.redacted(ticket.get("id"), 120),
            seed=seed if isinstance(seed, int) else None,
        )


def _submit(wire: Wire, call: ProviderCall) -> Ticket:
    url = f"{wire.account.urls['base'].rstrip('/')}/{call.endpoint.strip('/')}"
    reply = wire.create(url, json={**call.arguments, **_sources(call)})
    if not reply.ok:
        raise wire.failure_by_status(reply)
    task = reply.object()
    polling_url = str(task.get("polling_url") or "")
    if not wire.account.owns(polling_url):
        said = f"no usable polling_url in {reply.text()}"
        raise wire.failure(
            BadOutput, said, public="{name} accepted the task without a usable URL.", possibly_charged=True
        )
    return wire.submitted(call, id=str(task.get("id") or ""), polling_url=polling_url, cost=str(task.get("cost") or ""))


def _sources(call: ProviderCall) -> dict[str, str]:
    """The source images in base64, each in a field of its own: input_image, input_image_2, …"""
    check_size(call, MAX_INLINE)
    field = call.image_field or "input_image"
    return {
        field if number == 1 else f"{field}_{number}": base64_of(image.data)
        for number, image in enumerate(call.images, 1)
    }


def _finished(wire: Wire, polling_url: str) -> Reply:
    """The answer that says the task is Ready; raises what else became of it."""
    pauses = growing_pauses(wire.deadline.usual)
    while True:
        wire.deadline.sleep(next(pauses), "waiting for Black Forest Labs", possibly_charged=True)
        reply = wire.poll(polling_url, _is_hiccup)
        if not reply.ok:
            error = wire.failure_by_status(reply)
            error.possibly_charged = True  # whatever is wrong with the poll, the task exists
            raise error
        task = reply.object()
        status = task.get("status")
        if status == "Ready":
            return reply
        if isinstance(status, str) and (status in _MODERATED or status in _FAILED):
            raise _failure(wire, status, task)


def _is_hiccup(reply: Reply) -> bool:
    """A cluster may not know a task in its first moments; for good, it is an answer that was lost."""
    return reply.status in (404, 429) or reply.status >= 500 or reply.object().get("status") == _LOST


def _time(result: dict[str, Any]) -> timedelta | None:
    """Their own duration, or the difference of two moments on their clock."""
    if (duration := duration_of(result.get("duration"))) is not None:
        return duration
    start, end = result.get("start_time"), result.get("end_time")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return duration_of(end - start)


def _cost(body: Mapping[str, Any]) -> Decimal | None:
    """What they say they charge, from credits to dollars."""
    if body.get("cost") is None:
        return None
    try:
        credits = Decimal(str(body["cost"]))
    except InvalidOperation:
        return None
    return credits * CREDIT if credits.is_finite() and 0 <= credits < 1_000_000 else None


def _failure(wire: Wire, status: str, task: dict[str, Any]) -> ProviderError:
    """What a final status other than Ready means. The task was accepted at a price, so all may have been charged."""
    details = str(task.get("details") or task.get("result") or "no reason given")
    if status in _MODERATED:
        return wire.failure(ContentPolicy, f"{status}: {details}", possibly_charged=True)
    kind = InputUnreachable if UNREADABLE.search(details) else ProviderFailure
    return wire.failure(kind, f"{status}: {details}", possibly_charged=True)
