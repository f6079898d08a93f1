"""Who sells a model, at what price, and what it cost before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, TextField
from django.db.models.functions import Cast, JSONObject

from providers import accounts, routing
from providers.models import ImageModel, Offering, Price
from providers.request import ImageRequest, Mode

SIDE = 1024  # prices are compared for an image of 1024 × 1024


@dataclass(frozen=True, slots=True)
class Past:
    """What it cost from a moment on."""

    price: Decimal | None
    unit: str  # in words
    estimated: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Seller:
    """One offering as the page shows it."""

    offering: Offering
    price: Decimal | None  # of one 1024 × 1024 image in USD; None is unknown, never zero
    past: tuple[Past, ...]  # newest first, the present one included; empty unless the price has moved

    @property
    def provider(self) -> str:
        return self.offering.provider

    @property
    def name(self) -> str:
        return accounts.name_of(self.provider)

    @property
    def is_simulated(self) -> bool:
        return accounts.is_simulated(self.provider)

    @property
    def model_id(self) -> str:
        """What to write to the API so that this provider, and no other, is asked."""
        return f"{self.provider}/{self.offering.image_model.slug}"


def of_model(image_model: ImageModel) -> list[Seller]:
    """Active offerings, the cheapest of each mode first, in one query."""
    past = Price.objects.filter(offering=OuterRef("pk")).order_by("-recorded_at", "-pk")
    words = {"price": Cast("price", TextField()), "unit": "price_unit", "estimated": "estimated", "at": "recorded_at"}
    rows = list(image_model.offerings.active().annotate(past=ArraySubquery(past.values(row=JSONObject(**words)))))
    for row in rows:
        row.image_model = image_model
    sellers = [_seller(row, row.past) for row in rows]  # type: ignore[attr-defined]  # annotated
    return sorted(
        sellers,
        key=lambda seller: (seller.offering.mode == "edit", seller.price is None, seller.price or 0, seller.provider),
    )


def _seller(offering: Offering, past: Sequence[Mapping[str, Any]]) -> Seller:
    moved = tuple(_past(row) for row in past) if len(past) > 1 else ()
    return Seller(offering, price_of(offering), moved)


def _past(row: Mapping[str, Any]) -> Past:
    price = None if row["price"] is None else Decimal(row["price"])
    return Past(price, row["unit"], row["estimated"], datetime.fromisoformat(row["at"]))


def price_of(offering: Offering) -> Decimal | None:
    """Of one 1024 × 1024 image, with the settings the offering sends; an edit has one source of that size."""
    request = ImageRequest(prompt="", mode=cast(Mode, offering.mode))
    return routing.estimate(offering, request, delivered=(SIDE, SIDE))


def cheapest(sellers: Sequence[Seller]) -> Seller | None:
    """The starting price; None when no price is known."""
    return min(
        (seller for seller in sellers if seller.price is not None),
        key=lambda seller: seller.price or Decimal(0),
        default=None,
    )


def names(sellers: Sequence[Seller]) -> list[str]:
    """Every provider once, in the order of the sellers."""
    return list(dict.fromkeys(seller.name for seller in sellers))
