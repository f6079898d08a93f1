"""What came of asking: the images, every request that was sent for them, what all of it cost and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from providers.errors import ProviderError
from providers.models import Call, ImageModel, Offering
from providers.request import Answer, GeneratedImage, ImageRequest, ProviderCall


@dataclass(frozen=True, slots=True)
class Try:
    """One request to one offering as it went, before it is recorded: with an answer, or with an error."""

    request: ImageRequest
    wanted: ProviderCall | None  # None when it could not even be written down
    started_at: datetime
    duration: timedelta = timedelta()
    answer: Answer | None = None
    error: ProviderError | None = None
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """What one offering was asked for a request, call by call, and what was reserved for it (spending.py)."""

    tries: tuple[Try, ...]
    reservation: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to one offering and what became of it. `call` is None when nothing was sent: held back, or refused
    by what we know of the offering.

    `cost` is in USD, by the provider's bill or by its price list; None when nobody knows. That of a simulated provider
    is what its price list says, and not money: see `Generated.spent`.
    """

    offering: Offering
    number: int  # the how-manieth offering of the request this is; calls made in parallel share it
    asked: int  # images
    delivered: int
    outcome: str  # "ok", or the outcome of the error
    error: str = ""
    call: Call | None = None
    cost: Decimal | None = None
    cost_estimated: bool = True
    duration: timedelta = timedelta()
    ttfb: timedelta | None = None
    ignored: tuple[str, ...] = ()  # parameters this offering has no use for
    unknown: tuple[str, ...] = ()  # parameters passed through as they are

    @property
    def provider(self) -> str:
        return self.offering.provider


@dataclass(frozen=True, slots=True)
class Delivered:
    """One image, with the three sizes that need not agree: what was asked, what we sent, what came (measured)."""

    image: GeneratedImage
    call: Call
    requested_size: str  # in the caller's words: "1024x1024", "16:9 1K", "" when it named none
    resolved_size: tuple[int, int] | None  # the pixels we asked the provider for; None when it chose
    seed: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.image.width, self.image.height


@dataclass(frozen=True, slots=True)
class Generated:
    """The images of a request – all of them, or some and the reason why not all – and how they were had.

    `spent` is real money, failed tries that may have been charged included; `cost` the same by price lists.
    """

    image_model: ImageModel
    images: tuple[Delivered, ...]
    attempts: tuple[Attempt, ...]
    asked: int
    failure: ProviderError | None = None  # why some are missing
    spent: Decimal = field(default=Decimal(0))
    id: UUID | None = None  # `Call.request_id` of every attempt

    @property
    def image(self) -> GeneratedImage:
        return self.images[0].image

    @property
    def call(self) -> Call:
        """The call that brought the first image."""
        return self.images[0].call

    @property
    def offering(self) -> Offering:
        """Who brought the first image; with several, the attempts say who brought the others."""
        return next(each.offering for each in self.attempts if each.call == self.call)

    @property
    def provider(self) -> str:
        return self.offering.provider

    @property
    def missing(self) -> int:
        return self.asked - len(self.images)

    @property
    def cost(self) -> Decimal | None:
        """USD for everything sent; None when one that brought images has no known price."""
        if any(each.cost is None for each in self.attempts if each.delivered):
            return None
        return sum((each.cost for each in self.attempts if each.cost is not None), Decimal(0))

    @property
    def cost_estimated(self) -> bool:
        return any(each.cost_estimated for each in self.attempts if each.cost is not None)
