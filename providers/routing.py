"""generate(): choose an offering, call it, record the call, fall back. Whoever wants an image comes through here."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic

import httpx
from django.db import connection
from django.utils import timezone

from . import normalisation, pricing
from .accounts import accounts
from .adapters import ADAPTERS
from .adapters.base import Deadline, new_client
from .errors import AnswerLost, ContentPolicy, InvalidRequest, NotFound, ProviderError
from .models import Call, ImageModel, Offering
from .request import Answer, Caller, GeneratedImage, ImageRequest, ProviderCall


@dataclass(frozen=True, slots=True)
class Generated:
    """The image, everything the provider said about it, and the call's record."""

    image: GeneratedImage
    answer: Answer
    call: Call


def generate(image_model: ImageModel, request: ImageRequest, caller: Caller, *, time_limit: float) -> Generated:
    """Make an image with the cheapest offering that can, falling back to the next when one fails.

    `time_limit` in seconds bounds each offering's try, downloads included. Every try is recorded as a Call. The arena
    takes a refusal for an answer, and does not pay twice for an image that was probably made and lost on its way; other
    callers go on to the next offering. Raises the last ProviderError; NotFound when nobody reachable offers the model
    in this mode.
    """
    offerings = candidates(image_model, request)
    if not offerings:
        raise NotFound(
            f"No provider that this installation has a key for offers {image_model.name} ({request.mode}). "
            "Set the provider's key, or activate an offering in the admin."
        )
    last: ProviderError | None = None
    for offering in offerings:
        try:
            return _call(offering, request, caller, time_limit)
        except ProviderError as error:
            last = error
            if not error.fall_back or (caller == "arena" and isinstance(error, ContentPolicy | AnswerLost)):
                break
    assert last is not None
    raise last


def candidates(image_model: ImageModel, request: ImageRequest) -> list[Offering]:
    """The offerings that can be called now, cheapest first for this request; unknown prices last."""

    def dearness(offering: Offering) -> tuple[bool, Decimal, str]:
        price = estimate(offering, request)
        return price is None, price or Decimal(0), offering.provider

    return sorted(Offering.objects.open().filter(image_model=image_model, mode=request.mode), key=dearness)


def estimate(offering: Offering, request: ImageRequest, delivered: tuple[int, int] | None = None) -> Decimal | None:
    """What one image costs in USD by the offering's price: of the size delivered, or else of the size to be expected.

    None when the price is unknown or the offering cannot take the request. Where the sizes of an edit's sources are not
    known they are taken to be as large as the result.
    """
    if offering.price is None:
        return None
    try:
        width, height = delivered or normalisation.expected_size(request, offering.parameters)
    except InvalidRequest:
        return None
    sources = max(1, len(request.images)) if request.mode == "edit" else 0
    return pricing.price_of(
        offering.price,
        offering.price_unit,
        width,
        height,
        input_sizes=((width, height),) * sources,
        details=offering.price_details,
        quality=request.extra.get("quality", offering.parameters.get("sends", {}).get("quality")),
    )


def _call(offering: Offering, request: ImageRequest, caller: Caller, time_limit: float) -> Generated:
    """One try: the provider is asked, and whatever comes of it is recorded."""
    started_at, clock = timezone.now(), monotonic()
    wanted: ProviderCall | None = None
    try:
        wanted = normalisation.build(request, endpoint=offering.endpoint, parameters=offering.parameters)
        answer = _ask(offering, wanted, time_limit)
    except ProviderError as error:
        _record_failure(offering, request, caller, wanted, started_at, timedelta(seconds=monotonic() - clock), error)
        raise
    image = answer.images[0]
    cost = answer.cost
    call = Call.objects.create(
        offering=offering,
        caller=caller,
        outcome="ok",
        started_at=started_at,
        duration=answer.duration,
        ttfb=answer.ttfb,
        provider_time=answer.provider_time,
        cost=estimate(offering, request, (image.width, image.height)) if cost is None else cost,
        cost_estimated=cost is None,
        requested_size=_requested(request),
        resolved_size=_size(wanted.resolved_size),
        delivered_size=_size((image.width, image.height)),
        provider_request_id=answer.provider_request_id[:120],
    )
    return Generated(image, answer, call)


def _ask(offering: Offering, wanted: ProviderCall, time_limit: float) -> Answer:
    """Talk to the provider, holding no database connection: a hundred slow answers would use up all of Postgres'."""
    if connection.in_atomic_block:
        raise RuntimeError("routing.generate was called inside a transaction; the network must stay outside.")
    connection.close()
    account = accounts()[offering.provider]
    return ADAPTERS[account.adapter].generate(wanted, account=account, http=_http(), deadline=Deadline(time_limit))


@functools.cache
def _http() -> httpx.Client:
    """One pool of connections for the whole process: handshakes are paid once, not per image."""
    return new_client(connections=512)


def _record_failure(
    offering: Offering,
    request: ImageRequest,
    caller: Caller,
    wanted: ProviderCall | None,
    started_at: datetime,
    duration: timedelta,
    error: ProviderError,
) -> None:
    Call.objects.create(
        offering=offering,
        caller=caller,
        outcome=error.outcome,
        error=str(error) or type(error).__name__,
        started_at=started_at,
        duration=duration,
        possibly_charged=error.possibly_charged,
        requested_size=_requested(request),
        resolved_size=_size(wanted.resolved_size if wanted else None),
    )


def _requested(request: ImageRequest) -> str:
    return request.size or " ".join(part for part in (request.aspect_ratio, request.resolution) if part)


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else ""
