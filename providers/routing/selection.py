"""What a model's name means, and its offerings in the order in which they are called."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.cache import ProcessCache
from providers.errors import NotFound
from providers.models import ImageModel, Offering
from providers.offering import fit
from providers.performance import recent
from providers.request import ImageRequest
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.spending import costs
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


def candidates(
    image_model: ImageModel, request: ImageRequest, provider: str = "", preferences: Preferences = NO_PREFERENCES
) -> list[Offering]:
    """The offerings that may be called now, in the order in which they are. `provider` forces one.

    The caller's order decides first, then how well an offering fits the request – can it do it, then shape, size and
    parameters without effect –, then the caller's sort, health, and price; unknown prices come last.
    """
    offerings = [
        offering
        for offering in _open_offerings(image_model, request.mode)
        if provider in ("", offering.provider) and preferences.allows(offering.provider)
    ]
    if len(offerings) < 2 and preferences.max_price is None:
        return offerings
    return _ranked(offerings, request, preferences, recent.troubles(offering.pk for offering in offerings))


def candidates_of_many(image_models: Iterable[ImageModel], request: ImageRequest) -> dict[int, list[Offering]]:
    """Model id → `candidates`; the number of queries does not grow with the models."""
    offerings: dict[int, list[Offering]] = {image_model.pk: [] for image_model in image_models}
    for offering in Offering.objects.open().filter(image_model__in=list(offerings), mode=request.mode):
        offerings[offering.image_model_id].append(offering)
    troubles = recent.troubles(offering.pk for group in offerings.values() for offering in group)
    return {pk: _ranked(group, request, NO_PREFERENCES, troubles) for pk, group in offerings.items()}


def _ranked(
    offerings: Iterable[Offering], request: ImageRequest, preferences: Preferences, troubles: Mapping[int, str]
) -> list[Offering]:
    ranked = []
    for offering in offerings:
        own = preferences.request_for(offering.provider, request)
        misfit = fit.misfit(own, offering.parameters)
        price = estimate(offering, own, misfit.size)
        if not preferences.allows_price(price):
            continue
        cheapest = (price is None, price or Decimal(0))
        sort: tuple[Any, ...] = ()
        if preferences.sort == "price":
            sort = cheapest
        elif preferences.sort == "speed":
            seconds = recent.usual_seconds(offering.pk)
            sort = (seconds == 0, seconds)
        place = preferences.place(offering.provider)
        ranked.append(((place, misfit, sort, offering.pk in troubles, cheapest, offering.provider), offering))
    ranked.sort(key=lambda pair: pair[0])
    if not all(misfit.is_impossible for (_, misfit, *_), _ in ranked):
        # One that would reject the request is called only where all would: its error must not hide another's.
        ranked = [pair for pair in ranked if not pair[0][1].is_impossible]
    return [offering for _, offering in ranked][: None if preferences.allow_fallbacks else 1]


open_offerings: ProcessCache[tuple[int, str], list[Offering]] = ProcessCache(seconds=3.0, max_entries=1000)


def _open_offerings(image_model: ImageModel, mode: str) -> list[Offering]:
    """The open offerings of a model in a mode. A burst of requests would query them again and again."""
    return open_offerings.get_or_compute(
        (image_model.pk, mode), lambda: list(Offering.objects.open().filter(image_model=image_model, mode=mode))
    )


def likely_cost(image_model: ImageModel, request: ImageRequest, provider: str = "") -> Decimal | None:
    """USD that caps count for the next image: its estimate in real money, UNKNOWN_PRICE_CEILING where its price is
    unknown; None when no offering can be called."""
    offerings = candidates(image_model, request, provider)
    return costs.spent(offerings[0], estimate(offerings[0], request), 1) if offerings else None
