"""What this app stores, a file per noun. Callers import from here."""

from .calls import Call, CallQuerySet
from .jobs import ProviderJob
from .keys import ApiKey, KeySpending, ModelAlias
from .offerings import (
    ImageModel,
    ImageModelQuerySet,
    Lab,
    ModeChoices,
    Offering,
    OfferingQuerySet,
    Price,
    Proposal,
    price_figures,
    slug_validator,
)
from .requests import GatewayRequest, QueuedRequest, SpooledFile
from .spending import Reservation, SpentDay
from .summaries import CallSummary
from .trials import Trial
from .webhooks import JobWebhook, OutgoingWebhook

__all__ = [
    "ApiKey",
    "Call",
    "CallQuerySet",
    "CallSummary",
    "GatewayRequest",
    "ImageModel",
    "ImageModelQuerySet",
    "JobWebhook",
    "KeySpending",
    "Lab",
    "ModeChoices",
    "ModelAlias",
    "Offering",
    "OfferingQuerySet",
    "OutgoingWebhook",
    "Price",
    "Proposal",
    "ProviderJob",
    "QueuedRequest",
    "Reservation",
    "SpentDay",
    "SpooledFile",
    "Trial",
    "price_figures",
    "slug_validator",
]
