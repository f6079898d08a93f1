"""What a model's name means, and its offerings in the order in which they are asked."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from decimal import Decimal

from providers.accounts import is_simulated
from providers.cache import ProcessCache
from providers.errors import NotFound
from providers.models import ImageModel, Offering
from providers.performance import recent
from providers.request import ImageRequest
from providers.spending.costs import estimate


@dataclass(frozen=True, slots=True)
class Target:
    """What a name in an API means: a model, and the provider if the name forces one ("" = any)."""

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


def candidates(image_model: ImageModel, request: ImageRequest, provider: str = "") -> list[Offering]:
    """The offerings that can be called now: healthy before unhealthy, then cheapest first; unknown prices last."""
    offerings = [
        offering for offering in _open_offerings(image_model, request.mode) if provider in ("", offering.provider)
    ]
    if len(offerings) < 2:
        return offerings
    troubles = recent.troubles(offering.pk for offering in offerings)

    def order(offering: Offering) -> tuple[bool, bool, Decimal, str]:
        price = estimate(offering, request)
        return offering.pk in troubles, price is None, price or Decimal(0), offering.provider

    return sorted(offerings, key=order)


open_offerings: ProcessCache[tuple[int, str], list[Offering]] = ProcessCache(seconds=3.0, max_entries=1000)


def _open_offerings(image_model: ImageModel, mode: str) -> list[Offering]:
    """The open offerings of a model in a mode. A burst of requests would query them again and again."""
    return open_offerings.get_or_compute(
        (image_model.pk, mode), lambda: list(Offering.objects.open().filter(image_model=image_model, mode=mode))
    )


def likely_cost(image_model: ImageModel, request: ImageRequest) -> Decimal | None:
    """What the next image will probably cost in USD of real money; None when the price is unknown."""
    offerings = candidates(image_model, request)
    if not offerings:
        return None
    return Decimal(0) if is_simulated(offerings[0].provider) else estimate(offerings[0], request)
