"""What is kept of requests to a provider, well or badly ended: the Calls, and what they added to the bill."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from providers import accounts
from providers.models import Call, Offering
from providers.request import Caller, ImageRequest
from providers.routing.results import Attempt, Sent, Try
from providers.spending import costs, daily_cap


def record(
    offering: Offering, sent: Sent, caller: Caller, request_id: UUID, number: int, *, ends: bool
) -> list[Attempt]:
    """Record what was sent to an offering for a request; what was not sent is no call.

    `number` counts the offerings asked, from 1. `ends` says that no other will be asked: one of these calls is then
    the end of its request – one that brought images, if any did.
    """
    tries = [each for each in sent.tries if each.sent]
    rows = [
        Call(
            offering=offering,
            caller=caller,
            request_id=request_id,
            attempt=number,
            ends_request=False,
            **_columns(offering, each),
        )
        for each in tries
    ]
    if ends and rows:
        next((row for row in rows if row.outcome == "ok"), rows[-1]).ends_request = True
    if sent.reservation is None:
        _insert(rows)
    else:
        with transaction.atomic():
            _insert(rows)
            daily_cap.settle(sent.reservation, rows)
    recorded = dict(zip(map(id, tries), rows, strict=True))
    return [_attempt(offering, each, recorded.get(id(each)), number) for each in sent.tries]


def _insert(rows: list[Call]) -> None:
    if len(rows) == 1:
        rows[0].save(force_insert=True)  # one round trip; bulk_create takes three, for its transaction
    elif rows:
        Call.objects.bulk_create(rows)


def end_request(attempts: Sequence[Attempt]) -> None:
    """Whoever was to be asked next was held back: the last call that was sent was the end of its request after all."""
    sent = [each.call for each in attempts if each.call]
    if sent and not any(call.ends_request for call in sent):
        last = next((call for call in sent if call.outcome == "ok"), sent[-1])
        last.ends_request = True
        last.save(update_fields=["ends_request"])


def spent_on(attempt: Attempt) -> Decimal:
    """The real money in it: none when its provider is our own simulator, whatever its price list says."""
    return Decimal(0) if accounts.is_simulated(attempt.provider) else attempt.cost or Decimal(0)


def requested_size(request: ImageRequest) -> str:
    return request.size or " ".join(part for part in (request.aspect_ratio, request.resolution) if part)


def _columns(offering: Offering, each: Try) -> dict[str, Any]:
    common = {
        "n": each.request.n,
        "started_at": each.started_at,
        "requested_size": requested_size(each.request),
        "resolved_size": _size(each.wanted.resolved_size if each.wanted else None),
    }
    if each.answer is None:
        assert each.error is not None
        return common | _failure(offering, each)
    answer = each.answer
    cost, estimated = costs.of_answer(offering, each.request, answer)
    image = answer.images[0]
    return common | {
        "outcome": "ok",
        "duration": answer.duration,
        "ttfb": answer.ttfb,
        "provider_time": answer.provider_time,
        "cost": cost,
        "cost_estimated": estimated,
        "billed_units": answer.billed_units,
        "usage": dict(answer.usage) if answer.usage is not None else None,
        "delivered_size": _size((image.width, image.height)),
        "provider_request_id": answer.provider_request_id[:120],
    }


def _failure(offering: Offering, each: Try) -> dict[str, Any]:
    """A failure that may have been charged carries its estimated cost, so that spending counts it."""
    error = each.error
    assert error is not None
    price = costs.estimate(offering, each.request) if error.possibly_charged else None
    return {
        "outcome": error.outcome,
        "error": str(error) or type(error).__name__,
        "detail": error.detail,
        "duration": each.duration,
        "possibly_charged": error.possibly_charged,
        "cost": None if price is None else price * each.request.n,
    }


def _attempt(offering: Offering, each: Try, call: Call | None, number: int) -> Attempt:
    return Attempt(
        offering=offering,
        number=number,
        asked=each.request.n,
        delivered=len(each.answer.images) if each.answer else 0,
        outcome="ok" if each.error is None else each.error.outcome,
        error="" if each.error is None else str(each.error),
        call=call,
        cost=call.cost if call else None,
        cost_estimated=call.cost_estimated if call else True,
        duration=call.duration if call else each.duration,
        ttfb=call.ttfb if call else None,
        ignored=each.wanted.ignored if each.wanted else (),
        unknown=each.wanted.unknown if each.wanted else (),
    )


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else ""
