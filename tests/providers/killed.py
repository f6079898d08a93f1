"""What a worker leaves behind that was killed while it waited for a job at a provider."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers.adapters.base import Deadline
from providers.models import Offering, ProviderJob
from providers.offering import normalisation
from providers.request import ImageRequest
from providers.routing import offering_calls, open_jobs
from providers.spending import daily_cap

SECONDS = 20.0


class Killed(BaseException):
    """The process dies at this point."""


def submit_and_die(offering: Offering, *, prompt: str = "A red kite", request_id: uuid.UUID | None = None) -> uuid.UUID:
    """Submit a job for a request, record it and die before it is awaited; returns the request's id."""
    request_id = request_id or uuid.uuid4()
    price: Decimal | None = offering.price
    daily_cap.reserve(offering, price, caller="arena", request_id=request_id, attempt=1, n=1, seconds=SECONDS)
    record = open_jobs.recorder(offering, request_id=request_id, attempt=1, part=0, n=1, seconds=SECONDS)

    def die(ticket):
        record(ticket)
        raise Killed

    request = ImageRequest(prompt=prompt, size="64x64")
    call = normalisation.build(request, endpoint=offering.endpoint, parameters=offering.parameters)
    with pytest.raises(Killed):
        offering_calls.ask(offering.provider, replace(call, on_submitted=die), Deadline(SECONDS))
    return request_id


def expire_leases() -> None:
    """So much time passes that the workers which await jobs must be dead."""
    ProviderJob.objects.update(
        submitted_at=timezone.now() - timedelta(minutes=5), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
