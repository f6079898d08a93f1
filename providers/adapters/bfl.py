"""Black Forest Labs: submit a task, then poll the address the answer names until its status is final.

That address is on the cluster that took the task, somewhere under bfl.ai, so it must be used as given – and only there,
because our key goes along. A task cannot be cancelled, and its result is kept for ten minutes only. Prices are in
credits of one US cent, and every accepted task says what it costs.
"""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal, InvalidOperation
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
from providers.request import Answer, ProviderCall
from providers.transfer.download import fetch

from .base import Account, Deadline
from .sources import base64_of, check_size
from .wire import UNREADABLE, Reply, Wire, duration_of, growing_pauses, retry_after

CREDIT = Decimal("0.01")  # USD
MAX_INLINE = 15 * 1024 * 1024  # 20 MB of JSON with images in base64

_REFUSED = frozenset({"Request Moderated", "Content Moderated"})
_LOST = "Task not found"


class BlackForestLabs:
    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer:
        started = time.monotonic()
        wire = Wire(account, http, deadline, {"x-key": account.api_key})
        ticket = _submit(wire, call)
        task = _finished(wire, str(ticket["polling_url"]))
        result = task.get("result")
        result = result if isinstance(result, dict) else {}
        if not isinstance(sample := result.get("sample"), str) or not sample:
            raise BadOutput("Black Forest Labs reports success without an image.", possibly_charged=True)
        image = fetch(sample, deadline=deadline, trusted=account.loopback_origins)
        seed, billed = result.get("seed"), _cost(task)
        return Answer(
            images=(image,),
            duration=timedelta(seconds=time.monotonic() - started),
            provider_time=_time(result),
            cost=_cost(ticket) if billed is None else billed,
            provider_request_id=str(ticket.get("id") or ""),
            seed=seed if isinstance(seed, int) else None,
        )


def _submit(wire: Wire, call: ProviderCall) -> dict[str, Any]:
    url = f"{wire.account.urls['base'].rstrip('/')}/{call.endpoint.strip('/')}"
    reply = wire.create(url, json={**call.arguments, **_sources(call)})
    if not reply.ok:
        raise _refusal(reply)
    ticket = reply.object()
    if not wire.account.owns(str(ticket.get("polling_url") or "")):
        raise BadOutput(f"Black Forest Labs answered without a usable address: {reply.text()}", possibly_charged=True)
    return ticket


def _sources(call: ProviderCall) -> dict[str, str]:
    """The source images in base64, each in a field of its own: input_image, input_image_2, …"""
    check_size(call, MAX_INLINE)
    field = call.image_field or "input_image"
    return {
        field if number == 1 else f"{field}_{number}": base64_of(image.data)
        for number, image in enumerate(call.images, 1)
    }


def _finished(wire: Wire, polling_url: str) -> dict[str, Any]:
    """The task once it is Ready; raises what else became of it."""
    pauses = growing_pauses()
    while True:
        wire.deadline.sleep(next(pauses), "waiting for Black Forest Labs", possibly_charged=True)
        reply = wire.ask_patiently(polling_url, _is_hiccup)
        if not reply.ok:
            error = _refusal(reply)
            error.possibly_charged = True  # whatever is wrong with the question, the task exists
            raise error
        task = reply.object()
        if (status := task.get("status")) == "Ready":
            return task
        if status != "Pending":
            raise _failure(task)


def _is_hiccup(reply: Reply) -> bool:
    """A cluster may not know a task in its first moments; for good, it is an answer that was lost."""
    return reply.status in (404, 429) or reply.status >= 500 or reply.object().get("status") == _LOST


def _time(result: dict[str, Any]) -> timedelta | None:
    """Their own duration, or the difference of two moments on their clock."""
    if (found := duration_of(result.get("duration"))) is not None:
        return found
    start, end = result.get("start_time"), result.get("end_time")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return duration_of(end - start)


def _cost(body: dict[str, Any]) -> Decimal | None:
    """What they say they charge, from credits to dollars."""
    if body.get("cost") is None:
        return None
    try:
        credits = Decimal(str(body["cost"]))
    except InvalidOperation:
        return None
    return credits * CREDIT if credits.is_finite() and 0 <= credits < 1_000_000 else None


def _refusal(reply: Reply) -> ProviderError:
    """What an HTTP error status means. The detail is a text, or a list as FastAPI writes it."""
    status, detail = reply.status, reply.object().get("detail")
    if isinstance(detail, list):
        items = [item for item in detail if isinstance(item, dict)]
        detail = "; ".join(f"{_place(item.get('loc'))}: {item.get('msg')}" for item in items)
    text = str(detail or reply.text())[:500]
    message = f"Black Forest Labs answered {status}: {text}"
    match status:
        case 401 | 403:
            return Unauthorised(message, status=status)
        case 402:
            return OutOfCredit(message, status=status)
        case 404:
            return NotFound(message, status=status)
        case 429:  # also: more active tasks than the account may have
            return RateLimited(message, status=status, retry_after=retry_after(reply))
        case 408 | 504:
            return TimedOut(message, status=status, possibly_charged=True)
        case _ if status >= 500 or status < 400:
            return ProviderFailure(message, status=status)
        case _:
            return (InputUnreachable if UNREADABLE.search(text) else InvalidRequest)(message, status=status)


def _place(loc: Any) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)


def _failure(task: dict[str, Any]) -> ProviderError:
    """What a final status other than Ready means. The task was accepted at a price, so all may have been charged."""
    status, details = task.get("status"), str(task.get("details") or task.get("result") or "no reason given")[:500]
    if isinstance(status, str) and status in _REFUSED:
        return ContentPolicy(f"Black Forest Labs: {status}: {details}", possibly_charged=True)
    if status == "Error":
        kind = InputUnreachable if UNREADABLE.search(details) else ProviderFailure
        return kind(f"The task failed at Black Forest Labs: {details}", possibly_charged=True)
    return ProviderFailure(f"Black Forest Labs reports the unknown status {status!r}.", possibly_charged=True)
