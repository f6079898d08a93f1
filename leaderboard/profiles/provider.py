"""What a provider's page shows: how it does now, how it did, what it sells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from leaderboard.profiles import offerings as sellers
from providers.accounts import accounts
from providers.admission import circuit_breaker
from providers.models import Offering
from providers.performance import recent, summaries
from providers.performance.percentiles import Performance

from .speed import SpeedRow


@dataclass(frozen=True, slots=True)
class Sold:
    """One offering of the provider."""

    offering: Offering
    price: Decimal | None  # of one 1024 × 1024 image in USD
    performance: Performance  # its last 30 days, as the periodic task last counted its calls
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
    overall: SpeedRow  # over everything it sells

    @property
    def troubled(self) -> Sequence[Sold]:
        return [offering for offering in self.sold if offering.trouble]

    @property
    def models(self) -> int:
        return len({offering.offering.image_model_id for offering in self.sold})


def of_key(key: str) -> Provider | None:
    """None for a provider that is neither configured nor sells anything."""
    account = accounts().get(key)
    offerings = list(
        Offering.objects.active()
        .filter(provider=key)
        .select_related("image_model__lab")
        .order_by("image_model__name", "mode")
    )
    if account is None and not offerings:
        return None
    pks = [offering.pk for offering in offerings]
    troubles, measured = _troubles(pks), summaries.of_offerings(pks)
    sold = [Sold(row, sellers.price_of(row), measured[row.pk], troubles.get(row.pk, "")) for row in offerings]
    name, is_simulated = (account.name, account.is_simulated) if account else (key, False)
    overall = SpeedRow(key, name, is_simulated, *summaries.of_provider(key))
    return Provider(
        key=key,
        name=name,
        is_simulated=is_simulated,
        is_reachable=bool(account and account.api_key),
        sold=sold,
        overall=overall,
    )


def _troubles(offerings: Sequence[int]) -> dict[int, str]:
    """By offering: an open circuit, or a bad quarter of an hour."""
    resting = {
        pk: gettext("left alone for another %(seconds)s s after failing repeatedly") % {"seconds": f"{wait:.0f}"}
        for pk, wait in circuit_breaker.cooling_down(offerings).items()
    }
    return recent.troubles(offerings) | resting
