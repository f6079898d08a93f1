"""What an image costs, or will: the offering's price applied to a request, or the bill where the provider shows it."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from providers import accounts
from providers.errors import InvalidRequest
from providers.models import Offering
from providers.offering import native, normalisation, pricing
from providers.request import Answer, ImageRequest

PRICED_PARAMETERS = ("quality", "rendering_speed")  # the second is Ideogram's word
LARGEST_BILL = Decimal(1_000)  # USD of one call; an answer that says more is misread, or lies
_BILLED_BY_MEGAPIXEL = frozenset({"megapixel", "megapixel-started", "megapixel-in-out"})


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
    sources += native.count_of_sources(request.extra)
    return pricing.price_of(
        offering.price,
        offering.price_unit,
        width,
        height,
        input_sizes=((width, height),) * sources,
        details=offering.price_details,
        quality=_quality(offering, request),
    )


def _quality(offering: Offering, request: ImageRequest) -> str | None:
    """The value of the parameter by which a table of prices has its rows; None for the provider's own choice."""
    values = (normalisation.sent_value(name, request, offering.parameters) for name in PRICED_PARAMETERS)
    return next((str(value) for value in values if value is not None), None)


def budgeted(price: Decimal | None, n: int = 1) -> Decimal:
    """USD that a budget or cap counts for `n` images at `price` each; UNKNOWN_PRICE_CEILING stands for an unknown one.

    It is for limits only and never shown as a cost.
    """
    counted: Decimal = settings.UNKNOWN_PRICE_CEILING if price is None else price
    return counted * n


def spent(offering: Offering, cost: Decimal | None, n: int) -> Decimal:
    """USD that caps count for a call of `n` images which was or may have been charged: nothing where the provider is
    simulated, whatever its price list says."""
    if accounts.is_simulated(offering.provider):
        return Decimal(0)
    return budgeted(None, n) if cost is None else cost


def of_answer(offering: Offering, request: ImageRequest, answer: Answer) -> tuple[Decimal | None, bool]:
    """(cost in USD, estimated?) of a call that brought images.

    The provider's own amount counts; else the tokens it counted, where we know their prices; else the units it says it
    billed, where our price is per megapixel and has no second price for inputs (fal bills in the units of its price
    list); else the offering's price and the size delivered. A price that is itself an estimate makes an estimate of the
    units too.
    """
    if answer.cost is not None and _is_bill(answer.cost):
        return pricing.rounded(answer.cost), False
    by_tokens = pricing.price_of_tokens(answer.usage, offering.price_details) if answer.usage else None
    if _is_bill(by_tokens):
        return by_tokens, False
    by_units = _price_of_units(offering, answer.billed_units)
    if _is_bill(by_units):
        return by_units, offering.price_estimated
    prices = [estimate(offering, request, (image.width, image.height)) for image in answer.images]
    return (None if None in prices else sum(filter(None, prices), Decimal(0))), True


def _is_bill(amount: Decimal | None) -> bool:
    return amount is not None and 0 <= amount <= LARGEST_BILL


def _price_of_units(offering: Offering, units: Decimal | None) -> Decimal | None:
    price, by_megapixel = offering.price, offering.price_unit in _BILLED_BY_MEGAPIXEL
    if units is None or price is None or not by_megapixel or offering.price_details.get("input"):
        return None
    return pricing.rounded(units * price)
