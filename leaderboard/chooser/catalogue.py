"""The catalogue as a table: every model with price, time, rating, rights and abilities, filtered and sorted by the URL.

Rated and unrated models stay in lanes of their own under every order, so that questions of price, speed and rights are
answered without votes, and nobody reads an unrated model as a rated one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from arena.models import Category
from leaderboard import rights
from leaderboard.board_page import price_and_speed
from leaderboard.board_page.price_and_speed import Facts
from leaderboard.cache import MINUTE, get_or_compute
from leaderboard.models import Rating
from leaderboard.rating.verdict import Verdict
from leaderboard.rights import CommercialUse
from providers.accounts import is_simulated, name_of
from providers.models import ImageModel
from providers.offering import sizing

TASKS = {"text-to-image": "text to image", "edit": "image editing"}
PARAMETERS = ("task", "price", "seconds", "rights", "edits", "provider", "lab", "q", "sort", "rated")
FOLD = 4  # rows of the rated lane before the unrated one


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A model in one task. None is unknown."""

    image_model: ImageModel
    facts: Facts
    rating: Rating | None  # on the board of votes cast here
    largest: str  # 1K, 2K, 4K; "" unknown
    sources: int | None  # source images of an edit; 0 for any number, None where it does not edit
    commercial: CommercialUse

    @property
    def name(self) -> str:
        return self.image_model.name.casefold()

    @property
    def price(self) -> Decimal | None:
        return self.facts.price

    @property
    def price_note(self) -> str:
        """How the price counts, where it is not simply one for an image."""
        if self.price is None:
            return ""
        unit = self.facts.sellers[0].offering.price_unit
        notes = {"megapixel": "per megapixel", "megapixel-started": "per megapixel", "image-by-quality": "by quality",
                 "image-by-tier": "by size", "megapixel-in-out": "per MP, in and out"}  # fmt: skip
        return "estimated" if self.facts.is_estimated else notes.get(unit, "")

    @property
    def seconds(self) -> float | None:
        return self.facts.seconds

    @property
    def elo(self) -> float | None:
        return self.rating.elo if self.rating else None

    @property
    def pixels(self) -> int | None:
        return int(self.largest.removesuffix("K")) if self.largest else None

    @property
    def released(self) -> date | None:
        return self.image_model.released_on

    @property
    def providers(self) -> list[str]:
        """Names; all simulated ones together are “simulated”."""
        names = ["simulated" if is_simulated(key) else name_of(key) for key in self.facts.providers]
        return list(dict.fromkeys(names))

    @property
    def edits(self) -> str:
        if self.sources is None:
            return "–"
        return "yes" if not self.sources else f"{self.sources} image{'' if self.sources == 1 else 's'}"


# Attribute, and whether more comes first.
SORTS: dict[str, tuple[str, bool]] = {
    "price": ("price", False),
    "seconds": ("seconds", False),
    "elo": ("elo", True),
    "model": ("name", False),
    "largest": ("pixels", True),
    "released": ("released", True),
}


@dataclass(frozen=True, slots=True)
class CatalogueFilters:
    """What the URL asks for; what cannot be used is left out and explained in `errors`, by parameter."""

    task: str = "text-to-image"
    price: Decimal | None = None
    seconds: Decimal | None = None
    rights: str = ""
    edits: bool = False
    provider: str = ""
    lab: str = ""
    q: str = ""
    sort: str = "price"
    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        values = (self.price, self.seconds, self.rights, self.edits, self.provider, self.lab, self.q)
        return any(value not in (None, "", False) for value in values)

    def query(self, **changes: str) -> str:
        return urlencode({name: value for name, value in {**self.given, **changes}.items() if value})

    @property
    def conditions(self) -> str:
        """In words after a number of models: up to $0.02 with commercial rights."""
        words = [
            f"called “{self.q}”" if self.q else "",
            f"up to ${self.price:f}" if self.price is not None else "",
            f"within {self.seconds:f} s" if self.seconds is not None else "",
            {"yes": "with commercial rights", "ask": "with rights to ask for", "no": "without commercial rights"}.get(
                self.rights, ""
            ),
            "that edit images" if self.edits else "",
            f"at {self.given['provider']}" if self.provider else "",
            f"of {self.given['lab']}" if self.lab else "",
        ]
        return " ".join(filter(None, words))


def read(parameters: Mapping[str, str], rows: Sequence[CatalogueRow]) -> CatalogueFilters:
    """Filters from the query parameters. A value that is none of its choices is ignored, with a message in `errors`."""
    given = {name: parameters[name].strip() for name in PARAMETERS if parameters.get(name, "").strip()}
    errors: dict[str, str] = {}

    def one_of(name: str, allowed: Iterable[str], default: str = "") -> str:
        value, allowed = given.get(name, default), list(allowed)
        if value and value not in allowed:
            errors[name] = f"“{value}” is not in this list. Choose one of: {', '.join(allowed[:12])}."
            return default
        return value

    def number(name: str, example: str) -> Decimal | None:
        if name not in given:
            return None
        try:
            value = Decimal(given[name].removeprefix("$"))
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or not 0 <= value <= 3600:
            errors[name] = f"“{given[name]}” is not a number that can limit {name}. Write it like {example}."
            return None
        return value

    return CatalogueFilters(
        task=one_of("task", TASKS, "text-to-image"),
        price=number("price", "0.02"),
        seconds=number("seconds", "5"),
        rights=one_of("rights", rights.ANSWERS),
        edits=one_of("edits", ["yes"]) == "yes",
        provider=one_of("provider", sorted({key for row in rows for key in row.facts.providers})),
        lab=one_of("lab", sorted({row.image_model.lab.slug for row in rows if row.image_model.lab})),
        q=given.get("q", "")[:100],
        sort=one_of("sort", SORTS, "price"),
        given=given,
        errors=errors,
    )


def task_of(parameters: Mapping[str, str]) -> str:
    """The task that the rows are about; an unknown one is explained by `read`."""
    return parameters.get("task", "") if parameters.get("task", "") in TASKS else "text-to-image"


def rows(task: str) -> list[CatalogueRow]:
    """Every current model that does the task, or whose abilities nobody has listed. Four queries."""
    models = list(ImageModel.objects.current().select_related("lab"))
    category = Category.objects.filter(mode=task, source_name="").first()
    ratings = {row.image_model_id: row for row in Rating.objects.filter(category=category)} if category else {}
    ids = [model.pk for model in models]
    facts = price_and_speed.of_models(ids, task, parameters=True)
    editing = facts if task == "edit" else price_and_speed.of_models(ids, "edit", parameters=True)
    return [
        CatalogueRow(
            model,
            facts.get(model.pk, Facts()),
            ratings.get(model.pk),
            _largest(facts.get(model.pk, Facts())),
            _sources(editing.get(model.pk)),
            rights.of_licence(model.licence),
        )
        for model in models
        if task in model.modes or model.pk in facts or (not model.modes and task == "text-to-image")
    ]


@dataclass(frozen=True, slots=True)
class Ranks:
    """By model id, its rank among catalogued models by price and by time; 1 is the cheapest, the fastest."""

    price: dict[int, int]
    seconds: dict[int, int]


def ranks(task: str) -> Ranks:
    """May be ten minutes old."""
    return get_or_compute("catalogue ranks", task, seconds=10 * MINUTE, compute=lambda: _ranks(task))


def _ranks(task: str) -> Ranks:
    models = ImageModel.objects.current().filter(origin=ImageModel.Origin.CATALOG).values_list("pk", flat=True)
    facts = price_and_speed.of_models(models, task)

    def ranked(values: Mapping[int, Any]) -> dict[int, int]:
        return {pk: 1 + sum(other < value for other in values.values()) for pk, value in values.items()}

    return Ranks(
        ranked({pk: fact.price for pk, fact in facts.items() if fact.price is not None}),
        ranked({pk: fact.seconds for pk, fact in facts.items() if fact.seconds is not None}),
    )


def category_of(task: str) -> Category | None:
    return Category.objects.filter(mode=task, source_name="").select_related("board").first()


def _largest(facts: Facts) -> str:
    tiers = [_tier(json.dumps(seller.offering.parameters.get("size"), sort_keys=True)) for seller in facts.sellers]
    return max(filter(None, tiers), key=lambda tier: int(tier.removesuffix("K")), default="")


@lru_cache(maxsize=2048)
def _tier(spec: str) -> str:
    """The largest of 1K, 2K and 4K that an offering's size table allows; most offerings share a few tables."""
    table = json.loads(spec)
    if not table:
        return ""
    areas = {sizing.area_of(tier) for tier in sizing.supported(table)}
    if table["family"] == "pixels":
        areas |= {table["max_area"]} if "max_area" in table else {table["max"] ** 2} if "max" in table else set()
    for tier, side in (("4K", 4096), ("2K", 2048), ("1K", 1024)):
        if any(area >= 0.8 * side**2 for area in areas):
            return tier
    return ""


def _sources(facts: Facts | None) -> int | None:
    if facts is None or not facts.sellers:
        return None
    limits = []
    for seller in facts.sellers:
        images = seller.offering.parameters.get("images") or {}
        limits.append(images.get("max", 0) if images.get("list") else 1)
    return 0 if 0 in limits else max(limits)


def shown(rows: Iterable[CatalogueRow], filters: CatalogueFilters) -> list[CatalogueRow]:
    """Those that pass, in order; a limit of price or time passes only what is known. Unknown values sort last."""
    attribute, more_first = SORTS[filters.sort]
    passed = [row for row in rows if _passes(row, filters)]
    value: Callable[[CatalogueRow], Any] = lambda row: getattr(row, attribute)  # noqa: E731
    known = sorted((row for row in passed if value(row) is not None), key=lambda row: row.name)
    known.sort(key=value, reverse=more_first)
    return known + sorted((row for row in passed if value(row) is None), key=lambda row: row.name)


def _passes(row: CatalogueRow, filters: CatalogueFilters) -> bool:
    model = row.image_model
    searched = f"{model.name} {model.slug} {model.lab.name if model.lab else ''}".casefold()
    return (
        (filters.price is None or (row.price is not None and row.price <= filters.price))
        and (filters.seconds is None or (row.seconds is not None and row.seconds <= filters.seconds))
        and (not filters.rights or row.commercial.answer == filters.rights)
        and (not filters.edits or row.sources is not None)
        and (not filters.provider or filters.provider in row.facts.providers)
        and (not filters.lab or (model.lab is not None and model.lab.slug == filters.lab))
        and (not filters.q or filters.q.casefold() in searched)
    )


def verdict(rows: Sequence[CatalogueRow], shown: Sequence[CatalogueRow], filters: CatalogueFilters) -> Verdict:
    """How many models there are for what; where none is left, what leaves them out."""
    prices = sorted(row.price for row in shown if row.price is not None and not row.image_model.is_sample)
    prices = prices or sorted(row.price for row in shown if row.price is not None)
    start = f", from ${_amount(prices[0])} an image" if prices else ""
    rated = sum(row.rating is not None for row in shown)
    if not shown:
        return Verdict(f"No model {filters.conditions}.".replace(" .", "."), _helpful(rows, filters))
    n = f"{len(shown)} model{'' if len(shown) == 1 else 's'}"
    waiting = f"{rated} rated by votes; {len(shown) - rated} not rated yet."
    if filters.active:
        return Verdict(f"{n} of {len(rows)} {filters.conditions}{start}.", waiting)
    free = sum(row.commercial.answer == "yes" for row in shown)
    return Verdict(
        f"{n}{start}; {free} may be used commercially without asking.", f"Tick two to four to compare. {waiting}"
    )


def _helpful(rows: Sequence[CatalogueRow], filters: CatalogueFilters) -> str:
    """Without which single limit most models would be left."""
    limits = [name for name in PARAMETERS if name in filters.given and name not in ("task", "sort", "rated")]
    without = {
        name: len(shown(rows, read({key: text for key, text in filters.given.items() if key != name}, rows)))
        for name in limits
    }
    name = max(without, key=lambda name: without[name], default="")
    if not name or not without[name]:
        return "Loosen one of the limits."
    return f"{without[name]} do without the limit of {'name' if name == 'q' else name}."


def _amount(price: Decimal) -> str:
    return f"{price:.3f}" if price < Decimal("0.1") else f"{price:.2f}"
