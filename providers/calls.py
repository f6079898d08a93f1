"""What is kept of a request to a provider, well or badly ended: the Call, and what it added to the bill."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from . import accounts, costs
from .errors import ProviderError
from .models import Call, Offering
from .request import Answer, Caller, ImageRequest, ProviderCall


def record_answer(
    offering: Offering,
    request: ImageRequest,
    caller: Caller,
    wanted: ProviderCall,
    started_at: datetime,
    answer: Answer,
) -> Call:
    image = answer.images[0]
    cost, estimated = costs.of_answer(offering, request, answer)
    return Call.objects.create(
        offering=offering,
        caller=caller,
        outcome="ok",
        started_at=started_at,
        duration=answer.duration,
        ttfb=answer.ttfb,
        provider_time=answer.provider_time,
        cost=cost,
        cost_estimated=estimated,
        requested_size=_requested(request),
        resolved_size=_size(wanted.resolved_size),
        delivered_size=_size((image.width, image.height)),
        provider_request_id=answer.provider_request_id[:120],
    )


def record_failure(
    offering: Offering,
    request: ImageRequest,
    caller: Caller,
    wanted: ProviderCall | None,
    started_at: datetime,
    duration: timedelta,
    error: ProviderError,
) -> Call:
    """A failure that may have been charged carries its estimated cost, so that spending counts it."""
    return Call.objects.create(
        offering=offering,
        caller=caller,
        outcome=error.outcome,
        error=str(error) or type(error).__name__,
        started_at=started_at,
        duration=duration,
        possibly_charged=error.possibly_charged,
        cost=costs.estimate(offering, request) if error.possibly_charged else None,
        requested_size=_requested(request),
        resolved_size=_size(wanted.resolved_size if wanted else None),
    )


def spent_on(call: Call) -> Decimal:
    """The real money in a call: none when its provider is our own simulator, whatever its price list says."""
    return Decimal(0) if accounts.is_simulated(call.offering.provider) else call.cost or Decimal(0)


def _requested(request: ImageRequest) -> str:
    return request.size or " ".join(part for part in (request.aspect_ratio, request.resolution) if part)


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else ""
