"""generate(): choose an offering, call it, record the call, fall back. Whoever wants an image comes through here.

The healthy offerings are asked first, the cheapest of them before the others; unhealthy ones last (health.py). What
is let through to a provider is agreed on by all workers: spending cap, circuit, shared limits – in this order.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from time import monotonic

import httpx
from django.db import connection
from django.utils import timezone

from . import calls, circuit, health, limits, normalisation, spending
from .accounts import accounts, is_simulated
from .adapters import ADAPTERS
from .adapters.base import Deadline, new_client
from .costs import estimate
from .errors import AnswerLost, ContentPolicy, HeldBack, NotFound, ProviderError, RateLimited
from .models import Call, ImageModel, Offering
from .request import Answer, Caller, GeneratedImage, ImageRequest, ProviderCall

__all__ = ["Generated", "Target", "candidates", "estimate", "find", "generate", "likely_cost"]


@dataclass(frozen=True, slots=True)
class Generated:
    """The image, everything the provider said about it, the call's record, and all that getting it has cost.

    `spent` is real money and includes failed tries before this one that may have been charged.
    """

    image: GeneratedImage
    answer: Answer
    call: Call
    spent: Decimal = field(default=Decimal(0))


@dataclass(frozen=True, slots=True)
class Target:
    """What a name in an API means: a model, and the one provider to ask if the name forces one ("" = any)."""

    image_model: ImageModel
    provider: str = ""


def find(name: str) -> Target:
    """`flux.2-klein-9b`, or `fal/flux.2-klein-9b` to force a provider. Raises NotFound, with the nearest names."""
    provider, _, slug = name.rpartition("/")
    image_model = ImageModel.objects.current().filter(slug=slug).first()
    if image_model is None:
        slugs = ImageModel.objects.current().values_list("slug", flat=True)
        near = difflib.get_close_matches(slug, slugs, n=3)
        raise NotFound(f"There is no model {slug!r}." + (f" Did you mean {', '.join(near)}?" if near else ""))
    if provider and not image_model.offerings.active().filter(provider=provider).exists():
        sellers = image_model.offerings.active().order_by("provider").values_list("provider", flat=True).distinct()
        others = f" It is offered by {', '.join(sellers)}." if sellers else ""
        raise NotFound(f"{provider!r} does not offer {slug}.{others}")
    return Target(image_model, provider)


def generate(
    image_model: ImageModel, request: ImageRequest, caller: Caller, *, time_limit: float, provider: str = ""
) -> Generated:
    """Make an image with the best offering, falling back to the next when one fails; with `provider`, with it alone.

    `time_limit` in seconds bounds each offering's try, downloads included. Every request sent is recorded as a Call.
    The arena takes a refusal for an answer, does not pay twice for an image that was probably made and lost on its
    way, and waits for our own limits instead of paying more elsewhere; other callers go on to the next offering.

    Raises the last ProviderError, its `spent` saying what all tries have cost; HeldBack when nothing was sent at all;
    NotFound when nobody reachable offers the model in this mode.
    """
    offerings = candidates(image_model, request, provider)
    if not offerings:
        raise NotFound(
            f"No provider that this installation has a key for offers {image_model.name} ({request.mode}). "
            "Set the provider's key, or activate an offering in the admin."
        )
    spent, failure, held = Decimal(0), None, None
    for offering in offerings:
        try:
            generated = _call(offering, request, caller, time_limit)
        except HeldBack as error:
            held = min(held or error, error, key=lambda each: each.retry_after or 0)
            if not error.fall_back or (caller == "arena" and error.own_limit):
                break
        except ProviderError as error:
            failure = error
            spent += error.spent
            if not error.fall_back or (caller == "arena" and isinstance(error, ContentPolicy | AnswerLost)):
                break
        else:
            return Generated(generated.image, generated.answer, generated.call, generated.spent + spent)
    last = failure or held
    assert last is not None
    last.spent = spent
    raise last


def candidates(image_model: ImageModel, request: ImageRequest, provider: str = "") -> list[Offering]:
    """The offerings that can be called now: healthy before unhealthy, then cheapest first; unknown prices last."""
    offerings = Offering.objects.open().filter(image_model=image_model, mode=request.mode)
    found = list(offerings.filter(provider=provider) if provider else offerings)
    troubles = health.troubles(offering.pk for offering in found) if len(found) > 1 else {}

    def order(offering: Offering) -> tuple[bool, bool, Decimal, str]:
        price = estimate(offering, request)
        return offering.pk in troubles, price is None, price or Decimal(0), offering.provider

    return sorted(found, key=order)


def likely_cost(image_model: ImageModel, request: ImageRequest) -> Decimal | None:
    """What the next image will probably cost in real money; None when nobody can say."""
    offerings = candidates(image_model, request)
    if not offerings:
        return None
    return Decimal(0) if is_simulated(offerings[0].provider) else estimate(offerings[0], request)


def _call(offering: Offering, request: ImageRequest, caller: Caller, time_limit: float) -> Generated:
    """One try: the provider is asked, and whatever comes of it is recorded."""
    started_at, clock = timezone.now(), monotonic()
    wanted: ProviderCall | None = None
    try:
        wanted = normalisation.build(request, endpoint=offering.endpoint, parameters=offering.parameters)
        with _admitted(offering, request, time_limit):
            started_at, clock = timezone.now(), monotonic()
            answer = _ask(offering, wanted, time_limit)
    except HeldBack:
        raise
    except ProviderError as error:
        took = timedelta(seconds=monotonic() - clock)
        call = calls.record_failure(offering, request, caller, wanted, started_at, took, error)
        error.spent = calls.spent_on(call)
        raise
    call = calls.record_answer(offering, request, caller, wanted, started_at, answer)
    return Generated(answer.images[0], answer, call, calls.spent_on(call))


@contextmanager
def _admitted(offering: Offering, request: ImageRequest, time_limit: float) -> Iterator[None]:
    """Around a request: leave to send it, or HeldBack; afterwards all workers know how it went."""
    spending.check(offering, estimate(offering, request))
    circuit.check(offering.pk, f"{offering.provider}'s {offering.endpoint}", time_limit)
    try:
        lease = limits.take(offering.provider, time_limit)
    except HeldBack as error:
        circuit.report(offering.pk, error)
        raise
    try:
        yield
    except ProviderError as error:
        if isinstance(error, RateLimited) and error.retry_after:
            limits.pause(offering.provider, error.retry_after)
        circuit.report(offering.pk, error)
        raise
    else:
        circuit.report(offering.pk, None)
    finally:
        limits.give_back(lease)


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
