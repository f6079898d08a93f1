"""What it would cost to ask the models: shown before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.db.models import Count, Q

from arena.models import Competition, Generation
from providers import routing
from providers.accounts import is_simulated
from providers.models import ImageModel
from providers.performance import recent
from providers.request import ImageRequest, Mode
from providers.spending import costs

RESOLUTION = "1K"


@dataclass(frozen=True, slots=True)
class Quote:
    """What asking one model for its missing images of a competition would mean. `price` is of one image, if known."""

    image_model: ImageModel
    missing: int
    price: Decimal | None
    estimated: bool
    provider: str
    simulated: bool  # costs nothing, whatever the price list says
    trouble: str = ""  # why the offering is unhealthy now, "" when it is not
    queued: int = 0  # asked, and not sent yet
    failed: int = 0

    @property
    def cost(self) -> Decimal | None:
        """Of what is missing, by the price list."""
        return None if self.price is None else self.price * self.missing

    @property
    def real_price(self) -> Decimal:
        """USD that caps count for one image: UNKNOWN_PRICE_CEILING where its price is unknown."""
        return Decimal(0) if self.simulated else costs.budgeted(self.price)

    @property
    def is_unpriced(self) -> bool:
        return self.price is None and not self.simulated

    def asks(self, again: bool) -> int:
        """How many images would be queued; with `again`, failed ones too."""
        return self.missing + (self.failed if again else 0)


def of(competition: Competition) -> list[Quote]:
    """For every model that can be asked in the competition's mode: how many images are missing and their price."""
    prompts = list(competition.prompts.current())
    counts = {
        row["image_model"]: row
        for row in Generation.objects.filter(prompt__in=prompts, sample=0)
        .values("image_model")
        .annotate(
            asked=Count("pk"),
            queued=Count("pk", filter=Q(status=Generation.Status.QUEUED)),
            failed=Count("pk", filter=Q(status=Generation.Status.FAILED)),
        )
    }
    request = request_of(competition)
    quotes = []
    for image_model in ImageModel.objects.askable(request.mode).select_related("lab"):
        count = counts.get(image_model.pk, {"asked": 0, "queued": 0, "failed": 0})
        offering = routing.candidates(image_model, request)[0]
        quotes.append(
            Quote(
                image_model,
                missing=len(prompts) - count["asked"],
                price=routing.estimate(offering, request),
                estimated=offering.price_estimated,
                provider=offering.provider,
                simulated=is_simulated(offering.provider),
                trouble=recent.troubles([offering.pk]).get(offering.pk, ""),
                queued=count["queued"],
                failed=count["failed"],
            )
        )
    return quotes


def request_of(competition: Competition) -> ImageRequest:
    """The request of every prompt of the competition without text and source image: enough to know the price."""
    mode = cast(Mode, competition.category.mode)
    return ImageRequest(prompt="", mode=mode, aspect_ratio=competition.shape, resolution=RESOLUTION)
