"""generate(): choose an offering, ask it, record the calls, fall back. Whoever wants an image comes through here.

The healthy offerings are asked first, the cheapest of them before the others; unhealthy ones last (health.py).
"""

from __future__ import annotations

import difflib
import threading
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal

from providers.accounts import is_simulated
from providers.cache import ProcessCache
from providers.db import release_pooled_connection
from providers.errors import AnswerLost, BadOutput, ContentPolicy, NotFound, NotSent, ProviderError
from providers.models import ImageModel, Offering
from providers.performance import recent
from providers.request import Caller, ImageRequest
from providers.routing import call_log, sending
from providers.routing.results import Attempt, Delivered, Generated, Try
from providers.spending.costs import estimate


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
    image_model: ImageModel,
    request: ImageRequest,
    caller: Caller,
    *,
    time_limit: float,
    provider: str = "",
    stop: threading.Event | None = None,
    id: uuid.UUID | None = None,
) -> Generated:
    """Make the images with the best offering; what it does not make is asked of the next. With `provider`, only of it.

    More images than an offering makes at once are several calls in parallel. When some come and others cannot be had,
    the result holds those that came and, as `failure`, why the others are missing.

    `time_limit` in seconds bounds what each offering may take, downloads included. Setting `stop`, from another thread,
    ends it early: no more polls, the provider is told to cancel, nobody else is asked. Every request sent is recorded
    as a Call, all under one `id`, by which a caller finds them again. The arena takes a refusal for an answer, does not
    pay twice for an image that was probably made and lost on its way, and waits for our own limits instead of paying
    more elsewhere; other callers go on to the next offering.

    Raises the last ProviderError when no image came, its `spent` and `attempts` telling all tries; NotSent when
    nothing was sent at all; NotFound when nobody reachable offers the model in this mode.
    """
    offerings = candidates(image_model, request, provider)
    if not offerings:
        raise NotFound(
            f"No provider that this installation has a key for offers {image_model.name} ({request.mode}). "
            "Set the provider's key, or activate an offering in the admin."
        )
    id, images, attempts = id or uuid.uuid4(), list[Delivered](), list[Attempt]()
    failure: ProviderError | None = None
    held: NotSent | None = None
    for number, offering in enumerate(offerings, 1):
        part = replace(request, n=request.n - len(images))
        sent = sending.send(
            offering, part, caller, request_id=id, number=number, first=len(images), time_limit=time_limit, stop=stop
        )
        errors = [each.error for each in sent.tries if each.error is not None]
        goes_on = bool(errors) and all(_goes_on(error, caller) for error in errors) and number < len(offerings)
        recorded = call_log.record(offering, sent, caller, id, number, ends=not goes_on)
        attempts += recorded
        for each, attempt in zip(sent.tries, recorded, strict=True):
            images += _delivered(each, attempt)
        for error in errors:
            if isinstance(error, NotSent):
                held = min(held or error, error, key=lambda each: each.retry_after or 0)
            else:
                failure = error
        if not goes_on:
            break
    call_log.end_request(attempts)
    release_pooled_connection()  # what comes now is work on images
    spent = sum(map(call_log.spent_on, attempts), Decimal(0))
    last = failure or held
    if images:
        short = last or (BadOutput(f"{len(images)} of {request.n} images came.") if len(images) < request.n else None)
        missing = short if len(images) < request.n else None
        return Generated(image_model, tuple(images[: request.n]), tuple(attempts), request.n, missing, spent, id)
    assert last is not None
    last.spent, last.attempts = spent, tuple(attempts)
    raise last


def _goes_on(error: ProviderError, caller: Caller) -> bool:
    """May the next offering be asked after this?"""
    if caller == "arena" and (
        isinstance(error, ContentPolicy | AnswerLost) or (isinstance(error, NotSent) and error.own_limit)
    ):
        return False
    return error.fall_back


def _delivered(each: Try, attempt: Attempt) -> list[Delivered]:
    if each.answer is None or attempt.call is None:
        return []
    answer, resolved = each.answer, each.wanted.resolved_size if each.wanted else None
    seed = each.request.seed if answer.seed is None else answer.seed
    return [Delivered(image, attempt.call, attempt.call.requested_size, resolved, seed) for image in answer.images]


def candidates(image_model: ImageModel, request: ImageRequest, provider: str = "") -> list[Offering]:
    """The offerings that can be called now: healthy before unhealthy, then cheapest first; unknown prices last."""
    found = [each for each in _offered(image_model, request.mode) if provider in ("", each.provider)]
    if len(found) < 2:
        return found
    troubles = recent.troubles(offering.pk for offering in found)

    def order(offering: Offering) -> tuple[bool, bool, Decimal, str]:
        price = estimate(offering, request)
        return offering.pk in troubles, price is None, price or Decimal(0), offering.provider

    return sorted(found, key=order)


# Open offerings by model and mode: what the admin changes counts after these seconds.
open_offerings: ProcessCache[tuple[int, str], list[Offering]] = ProcessCache(seconds=3.0, max_entries=1000)


def _offered(image_model: ImageModel, mode: str) -> list[Offering]:
    """The offerings of a model in a mode that are open. A burst of images would ask for them again and again."""
    return open_offerings.get_or_compute(
        (image_model.pk, mode),
        lambda: list(Offering.objects.open().filter(image_model=image_model, mode=mode)),
    )


def likely_cost(image_model: ImageModel, request: ImageRequest) -> Decimal | None:
    """What the next image will probably cost in real money; None when nobody can say."""
    offerings = candidates(image_model, request)
    if not offerings:
        return None
    return Decimal(0) if is_simulated(offerings[0].provider) else estimate(offerings[0], request)
