"""What a provider's page tells: how it does now, how it did, what it sells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from leaderboard.kept import MINUTE, kept
from leaderboard.models import Speed as Measured
from providers import circuit, health, performance
from providers.accounts import accounts
from providers.models import Offering

from . import sellers, speed
from .speed import Speed


@dataclass(frozen=True, slots=True)
class Sold:
    """One offering of the provider."""

    offering: Offering
    price: Decimal | None  # of one 1024 × 1024 image in USD
    measured: Measured | None  # its last 30 days, as the clock last measured them
    trouble: str  # what speaks against asking it now; empty is fit

    @property
    def model_id(self) -> str:
        return f"{self.offering.provider}/{self.offering.image_model.slug}"


@dataclass(frozen=True, slots=True)
class Provider:
    key: str
    name: str
    is_simulated: bool
    is_reachable: bool  # this installation has a key for it
    sold: Sequence[Sold]
    speed: Speed  # over everything it sells

    @property
    def troubled(self) -> Sequence[Sold]:
        return [each for each in self.sold if each.trouble]

    @property
    def models(self) -> int:
        return len({each.offering.image_model_id for each in self.sold})


def of_key(key: str) -> Provider | None:
    """None for a provider that is neither configured nor sells anything."""
    account = accounts().get(key)
    offerings = list(
        Offering.objects.active()
        .filter(provider=key)
        .select_related("image_model__lab", "speed")
        .order_by("image_model__name", "mode")
    )
    if account is None and not offerings:
        return None
    troubles = _troubles([offering.pk for offering in offerings])
    sold = [
        Sold(each, sellers.price_of(each), getattr(each, "speed", None), troubles.get(each.pk, ""))
        for each in offerings
    ]
    # The percentiles over all its models at once sort every call of the month: kept for some minutes.
    pks = sorted(offering.pk for offering in offerings)
    measured = (
        kept("provider", key, *pks, seconds=5 * MINUTE, make=lambda: performance.of_providers(pks)) if pks else {}
    )
    return Provider(
        key=key,
        name=account.name if account else key,
        is_simulated=bool(account and account.is_simulated),
        is_reachable=bool(account and account.api_key),
        sold=sold,
        speed=speed.ranked(measured),
    )


def _troubles(offerings: Sequence[int]) -> dict[int, str]:
    """By offering: an open circuit, or a bad quarter of an hour."""
    resting = {
        pk: f"left alone for another {wait:.0f} s after failing repeatedly"
        for pk, wait in circuit.resting(offerings).items()
    }
    return health.troubles(offerings) | resting
