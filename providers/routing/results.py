"""What came of a request: the images, every call that was sent for them, what all of it cost and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from providers.errors import ProviderError
from providers.models import Call, ImageModel, Offering, ProviderJob
from providers.request import Answer, GeneratedImage, ImageRequest, ProviderCall


@dataclass(frozen=True, slots=True)
class CallResult:
    """How one call to one offering went, before it is recorded: with an answer, or with an error."""

    request: ImageRequest
    provider_call: ProviderCall | None  # None when the offering cannot take the request
    started_at: datetime
    duration: timedelta = timedelta()
    answer: Answer | None = None
    error: ProviderError | None = None
    sent: bool = True
    part: int = 0  # of the parallel calls
    job: ProviderJob | None = None  # that was taken up; None when the call submitted its own


@dataclass(frozen=True, slots=True)
class OfferingResult:
    """How all calls of a request to one offering went, and what was reserved for them (spending/daily_cap.py)."""

    calls: tuple[CallResult, ...]
    reservation: int | None = None

    @property
    def errors(self) -> list[ProviderError]:
        return [call.error for call in self.calls if call.error is not None]

    @property
    def delivered(self) -> int:
        return sum(len(call.answer.images) for call in self.calls if call.answer is not None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one offering, as callers see it. `call` is None when nothing was sent: throttled, or the offering
    cannot take the request.

    `cost` is in USD, by the provider's bill or by its price list; None when nobody knows. That of a simulated provider
    is what its price list says, and not money: see `Generated.spent`.
    """

    offering: Offering
    number: int  # of the offering among those called for the request, from 1; parallel calls share it
    requested: int  # images
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
    reported: Decimal | None = None  # USD that an earlier result has reported as spent on the same call

    @property
    def provider(self) -> str:
        return self.offering.provider

    @property
    def is_sent(self) -> bool:
        return self.call is not None


@dataclass(frozen=True, slots=True)
class DeliveredImage:
    """One image, with the three sizes that need not agree: requested, sent to the provider, delivered (measured)."""

    image: GeneratedImage
    call: Call
    requested_size: str  # as the caller wrote it: "1024x1024", "16:9 1K", "" when it named none
    resolved_size: tuple[int, int] | None  # the pixels requested from the provider; None when it chose
    seed: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.image.width, self.image.height


@dataclass(frozen=True, slots=True)
class Generated:
    """The images of a request – all of them, or some and the reason why not all – and how they were made.

    `spent` is what caps count (`Call.spent`): real money, failed calls that may have been charged included, a ceiling
    for unknown prices. `cost` is by price lists, sample models included.
    """

    image_model: ImageModel
    images: tuple[DeliveredImage, ...]
    attempts: tuple[Attempt, ...]
    requested: int
    failure: ProviderError | None = None  # why some are missing
    spent: Decimal = field(default=Decimal(0))
    id: UUID | None = None  # `Call.request_id` of every attempt
    warnings: tuple[str, ...] = ()  # where the images are not what was requested, in sentences for the caller
    unrecorded: Callable[[], None] | None = None  # records the last calls, where the caller wants to say when

    @property
    def image(self) -> GeneratedImage:
        return self.images[0].image

    @property
    def call(self) -> Call:
        """The call that brought the first image."""
        return self.images[0].call

    @property
    def offering(self) -> Offering:
        """The offering that brought the first image; with several, the attempts name those of the others."""
        return next(attempt.offering for attempt in self.attempts if attempt.call == self.call)

    @property
    def provider(self) -> str:
        return self.offering.provider

    @property
    def missing(self) -> int:
        return self.requested - len(self.images)

    @property
    def cost(self) -> Decimal | None:
        """USD for everything sent; None when a call that brought images has no known price."""
        if any(attempt.cost is None for attempt in self.attempts if attempt.delivered):
            return None
        return sum((attempt.cost for attempt in self.attempts if attempt.cost is not None), Decimal(0))

    @property
    def cost_estimated(self) -> bool:
        return any(attempt.cost_estimated for attempt in self.attempts if attempt.cost is not None)
