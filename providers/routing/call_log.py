"""What is recorded of calls to a provider, successful or not: `Call` rows, and what they added to the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from providers.errors import ProviderError
from providers.models import Call, Offering
from providers.request import ImageRequest
from providers.routing import open_jobs
from providers.routing.offering_calls import Dispatch
from providers.routing.results import Attempt, CallResult, OfferingResult
from providers.spending import costs, daily_cap


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be stored of one offering's calls, and the attempts that callers see of them."""

    dispatch: Dispatch
    result: OfferingResult
    rows: list[Call]  # of the calls that were sent, in their order
    attempts: list[Attempt]

    def save(self) -> None:
        """Store the calls and settle their reservation. Raises DatabaseError with nothing stored."""
        if len(self.rows) == 1 and not self.dispatch.is_resumable:
            daily_cap.record(self.rows[0], self.result.reservation)
        elif self.rows or self.result.reservation is not None:
            _save_and_settle(self.dispatch, self.result, self.rows)


def record_of(dispatch: Dispatch, result: OfferingResult, *, ends_request: bool) -> Record:
    """The calls that were sent as rows, unsaved, and an attempt for every call of `result`.

    With `ends_request`, when no other offering will be called, one of the calls is marked as the end of its request:
    one that delivered images, if any did.
    """
    rows = {id(call): _row(dispatch, call) for call in _sent(result)}
    if ends_request and rows:
        next((row for row in rows.values() if row.outcome == "ok"), [*rows.values()][-1]).ends_request = True
    attempts = [_attempt(dispatch, call, rows.get(id(call))) for call in result.calls]
    return Record(dispatch, result, [*rows.values()], attempts)


def _sent(result: OfferingResult) -> list[CallResult]:
    return [call for call in result.calls if call.sent]


def _save_and_settle(dispatch: Dispatch, result: OfferingResult, rows: list[Call]) -> None:
    sent = _sent(result)
    with transaction.atomic():
        _save(rows)
        daily_cap.settle(result.reservation, rows, sum(map(_counted_before, sent), Decimal(0)))
        for call, row in zip(sent, rows, strict=True) if dispatch.is_resumable else ():
            open_jobs.settle(call, row, dispatch.request_id, dispatch.number)


def _row(dispatch: Dispatch, call: CallResult) -> Call:
    """The call's row, unsaved. A job that is taken up keeps the row it has: it was one request to the provider."""
    before = call.job.call if call.job else None
    if before is not None and before.outcome == "ok":  # its image is fetched once more
        before.ends_request = False
        return before
    row = Call(
        offering=dispatch.offering,
        caller=dispatch.caller,
        request_id=dispatch.request_id,
        attempt=dispatch.number,
        ends_request=False,
        **_columns(dispatch.offering, call),
    )
    if before is not None:
        row.pk = before.pk
    return row


def _save(rows: list[Call]) -> None:
    new = [row for row in rows if row.pk is None]
    for row in rows:
        if row.pk is not None:
            row.save(force_update=True)
    Call.objects.bulk_create(new)


def _counted_before(call: CallResult) -> Decimal:
    """USD that the day's amount has of the call: of an earlier result for the same job."""
    before = call.job.call if call.job else None
    return Decimal(0) if before is None else before.spent or Decimal(0)


def end_request(attempts: Sequence[Attempt]) -> None:
    """Mark the last call as the end of its request where the offerings after it were throttled and not called."""
    sent = [attempt.call for attempt in attempts if attempt.call]
    if sent and not any(call.ends_request for call in sent):
        last = next((call for call in sent if call.outcome == "ok"), sent[-1])
        last.ends_request = True
        last.save(update_fields=["ends_request"])


def spent_on(attempt: Attempt) -> Decimal:
    """What caps count for it, in USD, beyond what an earlier result has reported: see `Call.spent`."""
    spent = attempt.call.spent or Decimal(0) if attempt.call else Decimal(0)
    return spent - (attempt.reported or Decimal(0))


def requested_size(request: ImageRequest) -> str:
    size = request.size or " ".join(part for part in (request.aspect_ratio, request.resolution) if part)
    return size[: Call._meta.get_field("requested_size").max_length]


def _columns(offering: Offering, call: CallResult) -> dict[str, Any]:
    common = {
        "detail": "",
        "n": call.request.n,
        "started_at": call.started_at,
        "requested_size": requested_size(call.request),
        "resolved_size": _size(call.provider_call.resolved_size if call.provider_call else None),
    }
    if call.answer is None:
        assert call.error is not None
        return common | _failure(offering, call, call.error)
    answer = call.answer
    cost, estimated = costs.of_answer(offering, call.request, answer)
    image = answer.images[0]
    return common | {
        "outcome": "ok",
        # From its submission on nobody has waited for a job that was taken up: that time is no measurement.
        "duration": timedelta(0) if call.job else answer.duration,
        "ttfb": answer.ttfb,
        "provider_time": answer.provider_time,
        "cost": cost,
        "cost_estimated": estimated,
        "spent": costs.spent(offering, cost, max(call.request.n, len(answer.images))),
        "billed_units": answer.billed_units,
        "usage": dict(answer.usage) if answer.usage is not None else None,
        "delivered_size": _size((image.width, image.height)),
        "provider_request_id": answer.provider_request_id[:120],
    }


def _failure(offering: Offering, call: CallResult, error: ProviderError) -> dict[str, Any]:
    """A failure that may have been charged has its estimated cost, so that spending counts it."""
    n, price = call.request.n, costs.estimate(offering, call.request) if error.possibly_charged else None
    cost = None if price is None else price * n
    return {
        "outcome": error.outcome,
        "error": str(error) or type(error).__name__,
        "detail": error.detail,
        "duration": call.duration,
        "possibly_charged": error.possibly_charged,
        "cost": cost,
        "spent": costs.spent(offering, cost, n) if error.possibly_charged else Decimal(0),
    }


def _attempt(dispatch: Dispatch, call: CallResult, row: Call | None) -> Attempt:
    before = call.job.call if call.job else None
    return Attempt(
        offering=dispatch.offering,
        number=dispatch.number,
        requested=call.request.n,
        delivered=len(call.answer.images) if call.answer else 0,
        outcome="ok" if call.error is None else call.error.outcome,
        error="" if call.error is None else str(call.error),
        call=row,
        cost=row.cost if row else None,
        cost_estimated=row.cost_estimated if row else True,
        duration=call.duration,
        ttfb=row.ttfb if row else None,
        ignored=call.provider_call.ignored if call.provider_call else (),
        unknown=call.provider_call.unknown if call.provider_call else (),
        reported=None if before is None or before.outcome == "ok" else before.spent or Decimal(0),
    )


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else ""
