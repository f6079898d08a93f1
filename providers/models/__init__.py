"""What this app stores, a file per noun. Callers import from here."""

from .keys import ApiKey
from .offerings import (
    Call,
    CallQuerySet,
    ImageModel,
    ImageModelQuerySet,
    Lab,
    ModeChoices,
    Offering,
    OfferingQuerySet,
    Price,
    price_figures,
    slug_validator,
)
from .requests import GatewayRequest
from .summaries import CallSummary

__all__ = [
    "ApiKey",
    "Call",
    "CallQuerySet",
    "CallSummary",
    "GatewayRequest",
    "ImageModel",
    "ImageModelQuerySet",
    "Lab",
    "ModeChoices",
    "Offering",
    "OfferingQuerySet",
    "Price",
    "price_figures",
    "slug_validator",
]
