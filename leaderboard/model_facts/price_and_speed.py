"""What choosing a model takes beyond its rating: what an image costs, how long it takes, who sells it. By model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT

from providers.models import ImageModel, Offering
from providers.offering import pricing
from providers.performance import summaries

SIDE = 1024  # prices are compared for an image of 1024 × 1024


@dataclass(frozen=True, slots=True)
class OfferingFacts:
    """One offering as pages compare it. None is unknown, never zero."""

    offering: Offering
    price: Decimal | None  # USD for one image of 1024 × 1024
    seconds: float | None  # median of the last 30 days
    success_rate: float | None

    @property
    def provider(self) -> str:
        return self.offering.provider


@dataclass(frozen=True, slots=True)
class Facts:
    """A model's sellers in one mode, the cheapest first."""

    sellers: tuple[OfferingFacts, ...] = ()

    def at(self, provider: str) -> Facts:
        """With what this provider sells alone."""
        return Facts(tuple(seller for seller in self.sellers if seller.provider == provider))

    @property
    def price(self) -> Decimal | None:
        return min((seller.price for seller in self.sellers if seller.price is not None), default=None)

    @property
    def is_estimated(self) -> bool:
        return any(seller.offering.price_estimated for seller in self.sellers if seller.price == self.price is not None)

    @property
    def seconds(self) -> float | None:
        """The quickest seller's median."""
        return min((seller.seconds for seller in self.sellers if seller.seconds is not None), default=None)

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(seller.provider for seller in self.sellers))


def of_models(image_models: Iterable[int], mode: str = "", *, parameters: bool = False) -> dict[int, Facts]:
    """Facts by model id, in one query; a model nobody sells is absent. `parameters` loads what the offerings take.

    Without a mode, those of all modes together.
    """
    offerings = Offering.objects.active().filter(image_model__in=list(image_models))
    return _facts(offerings.filter(mode=mode) if mode else offerings, parameters=parameters)


def of_catalog(mode: str) -> tuple[dict[int, ImageModel], dict[int, Facts]]:
    """The catalogued models that somebody sells in a mode, and their facts, by model id. One query."""
    facts = _facts(_of_mode(mode).filter(image_model__in=_catalogued()))
    return {pk: fact.sellers[0].offering.image_model for pk, fact in facts.items()}, facts


def of_board_and_catalog(
    image_models: Iterable[int], mode: str
) -> tuple[dict[int, Facts], dict[int, ImageModel], dict[int, Facts]]:
    """The facts of a board's models, and what `of_catalog` returns, in one query instead of two."""
    board = set(image_models)
    catalogued = Exists(_catalogued().filter(pk=OuterRef("image_model")))
    offerings = _of_mode(mode).annotate(is_catalogued=catalogued)
    facts = _facts(offerings.filter(Q(image_model__in=board) | Q(is_catalogued=True)))
    catalog = {pk: fact for pk, fact in facts.items() if fact.sellers[0].offering.is_catalogued}  # type: ignore[attr-defined]  # annotated
    models = {pk: fact.sellers[0].offering.image_model for pk, fact in catalog.items()}
    return {pk: fact for pk, fact in facts.items() if pk in board}, models, catalog


def _catalogued() -> QuerySet[ImageModel]:
    models: QuerySet[ImageModel] = ImageModel.objects.current().filter(origin=ImageModel.Origin.CATALOG)
    return models


def _of_mode(mode: str) -> QuerySet[Offering]:
    return Offering.objects.active().filter(mode=mode).select_related("image_model")


def _facts(offerings: QuerySet[Offering], *, parameters: bool = False) -> dict[int, Facts]:
    # What is not shown is not read: the tables of parameters are most of a row, and only the chooser asks for them.
    unread = ("from_catalog", "note") if parameters else ("from_catalog", "note", "parameters")
    rows = offerings.defer(*unread).annotate(
        sent_quality=KT("parameters__sends__quality"), figures=summaries.measured()
    )
    sellers: dict[int, list[OfferingFacts]] = {}
    for row in rows:
        measured = summaries.of_figures(row.figures)
        p50 = measured.duration.p50
        seconds = None if p50 is None else p50.total_seconds()
        seller = OfferingFacts(row, _price(row), seconds, measured.success_rate)
        sellers.setdefault(row.image_model_id, []).append(seller)
    return {model: Facts(tuple(sorted(offered, key=_cheapest))) for model, offered in sellers.items()}


def _cheapest(seller: OfferingFacts) -> tuple[bool, Decimal, str]:
    return (seller.price is None, seller.price or Decimal(0), seller.provider)


def _price(offering: Any) -> Decimal | None:
    if offering.price is None:
        return None
    sources = ((SIDE, SIDE),) if offering.mode == "edit" else ()
    return pricing.price_of(
        offering.price,
        offering.price_unit,
        SIDE,
        SIDE,
        input_sizes=sources,
        details=offering.price_details,
        quality=offering.sent_quality,
    )
