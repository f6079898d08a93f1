"""The providers of a model, a row each: what it costs there in each mode, and how quick it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from leaderboard.profiles.offerings import Past, Seller
from leaderboard.profiles.speed import Speed, SpeedRow


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider of the model: its offerings, those by the page's modes (None: not offered), and its speed."""

    sellers: Sequence[Seller]
    by_mode: Sequence[Seller | None]
    speed: SpeedRow | None

    @property
    def provider(self) -> str:
        return self.sellers[0].provider

    @property
    def name(self) -> str:
        return self.sellers[0].name

    @property
    def model_id(self) -> str:
        return self.sellers[0].model_id

    @property
    def is_simulated(self) -> bool:
        return self.sellers[0].is_simulated

    @property
    def endpoints(self) -> list[str]:
        """The provider's own ids."""
        return list(dict.fromkeys(seller.offering.endpoint for seller in self.sellers))

    @property
    def price_source(self) -> str:
        return self.sellers[0].offering.price_source

    @property
    def price_seen_on(self) -> date | None:
        return self.sellers[0].offering.price_seen_on

    @property
    def past(self) -> Sequence[Past]:
        return [past for seller in self.sellers for past in seller.past]


def of_sellers(sellers: Sequence[Seller], speed: Speed, modes: Sequence[str]) -> list[ProviderRow]:
    """One for each provider, in the order of its cheapest offering; `modes` are those of the page's columns."""
    grouped: dict[str, list[Seller]] = {}
    for seller in sellers:
        grouped.setdefault(seller.provider, []).append(seller)
    return [
        ProviderRow(
            tuple(sold),
            [next((seller for seller in sold if seller.offering.mode == mode), None) for mode in modes],
            next((row for row in speed.rows if row.provider == provider), None),
        )
        for provider, sold in grouped.items()
    ]
