"""The catalogue as a table: every model with price, time, rating, rights and abilities, filtered and sorted by the URL.

Rated and unrated models stay in lanes of their own under every order, so that questions of price, speed and rights are
answered without votes, and nobody reads an unrated model as a rated one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from arena.models import Category
from leaderboard.cache import MINUTE, get_or_compute
from leaderboard.chooser import abilities
from leaderboard.chooser.choice import Misfit
from leaderboard.model_facts import price_and_speed, rights
from leaderboard.model_facts.price_and_speed import Facts
from leaderboard.model_facts.rights import CommercialUse
from leaderboard.models import Rating
from leaderboard.rating.place import Place
from providers.accounts import is_simulated, name_of
from providers.models import ImageModel
from providers.web.query_parameters import SECONDS, US_DOLLARS, Parameters, Query

TASKS = ("text-to-image", "edit")
FILTERS = ("price", "seconds", "rights", "size", "edits", "provider", "lab", "weights", "licence", "ratio", "need", "q")
PARAMETERS = ("task", *FILTERS, "sort", "rated", "for")
FOLD = 4  # rows of the rated lane before the unrated one
FOLD_LAST = 26  # rows of the unrated lane


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A model in one task. None is unknown."""

    image_model: ImageModel
    facts: Facts
    rating: Rating | None  # on the board of votes cast here
    largest: str  # 1K, 2K, 4K; "" unknown
    sources: int | None  # source images of an edit; 0 for any number, None where it does not edit
    commercial: CommercialUse

    def at(self, provider: str) -> CatalogueRow:
        """With what the model costs and takes at this provider, if it is sold there."""
        if provider not in self.facts.providers:
            return self
        there = self.facts.at(provider)
        return replace(self, facts=there, largest=abilities.largest(there))

    @property
    def name(self) -> str:
        return self.image_model.name.casefold()

    @property
    def price(self) -> Decimal | None:
        return self.facts.price

    @property
    def seconds(self) -> float | None:
        return self.facts.seconds

    @property
    def elo(self) -> float | None:
        return self.rating.elo if self.rating else None

    @property
    def place(self) -> Place | None:
        return self.rating.place if self.rating else None

    @property
    def usable_price(self) -> Decimal | None:
        """What an image costs that voters do not call bad: price ÷ share of the votes that were not “both bad”."""
        if self.price is None or self.rating is None or not self.rating.votes:
            return self.price
        usable = 1 - Decimal(self.rating.both_bad) / self.rating.votes
        return self.price / usable if usable else None

    @property
    def pixels(self) -> int | None:
        return int(self.largest.removesuffix("K")) if self.largest else None

    @property
    def released(self) -> date | None:
        return self.image_model.released_on

    @property
    def providers(self) -> list[str]:
        """Names; all simulated ones together are “simulated”."""
        names = [gettext("simulated") if is_simulated(key) else name_of(key) for key in self.facts.providers]
        return list(dict.fromkeys(names))


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
    size: str = ""  # that it reaches: 1K, 2K, 4K
    edits: bool = False
    provider: str = ""
    lab: str = ""
    open_weights: bool = False
    licence: str = ""
    ratio: str = ""
    needs: tuple[str, ...] = ()
    q: str = ""
    sort: str = "price"
    sold_by: tuple[str, ...] = ()  # the providers that can be chosen
    for_me: bool = False  # the preset “Which for me?”: one answer first
    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return any(name in self.given and name not in self.errors for name in FILTERS)

    def query(self, **changes: str) -> str:
        given = {**self.given, **changes}
        pairs = [(name, value) for name, value in given.items() if value and name != "need"]
        needs = () if changes.get("need") == "" else self.needs
        return urlencode([*pairs, *(("need", name) for name in needs)])


def read(parameters: Query, rows: Sequence[CatalogueRow]) -> CatalogueFilters:
    """Filters from the query parameters. A value that cannot be used is left out, with a message in `errors`."""
    asked = Parameters(parameters, PARAMETERS)
    asked.one_of("rated", ["all"])
    sold_by = sorted({key for row in rows for key in row.facts.providers})
    return CatalogueFilters(
        task=asked.one_of("task", TASKS, "text-to-image"),
        price=asked.amount("price", US_DOLLARS, "0.02"),
        seconds=asked.amount("seconds", SECONDS, "5"),
        rights=asked.one_of("rights", rights.ANSWERS),
        size=asked.one_of("size", abilities.TIERS),
        edits=asked.one_of("edits", ["yes"]) == "yes",
        provider=asked.one_of("provider", sold_by),
        lab=asked.one_of("lab", sorted({row.image_model.lab.slug for row in rows if row.image_model.lab})),
        open_weights=asked.one_of("weights", ["open"]) == "open",
        licence=asked.one_of("licence", sorted({row.image_model.licence for row in rows} - {""}, key=str.casefold)),
        ratio=asked.one_of("ratio", abilities.RATIOS),
        needs=asked.several("need", abilities.NEEDS),
        q=asked.text("q"),
        sort=asked.one_of("sort", SORTS, "price"),
        for_me=asked.one_of("for", ["me"]) == "me",
        sold_by=tuple(sold_by),
        given=asked.given,
        errors=asked.errors,
    )


def task_of(parameters: Mapping[str, str]) -> str:
    """The task that the rows are about; an unknown one is explained by `read`."""
    return parameters.get("task", "") if parameters.get("task", "") in TASKS else "text-to-image"


def rows(task: str, category: Category | None) -> list[CatalogueRow]:
    """Every current model that does the task, or whose abilities nobody has listed, with its rating in the category.

    Four queries.
    """
    models = list(ImageModel.objects.current().select_related("lab"))
    ratings = {row.image_model_id: row for row in Rating.objects.filter(category=category)} if category else {}
    ids = [model.pk for model in models]
    facts = price_and_speed.of_models(ids, task, parameters=True)
    editing = facts if task == "edit" else price_and_speed.of_models(ids, "edit", parameters=True)
    return [
        CatalogueRow(
            model,
            facts.get(model.pk, Facts()),
            ratings.get(model.pk),
            abilities.largest(facts.get(model.pk, Facts())),
            abilities.sources(editing.get(model.pk)),
            rights.of_licence(model.licence),
        )
        for model in models
        if task in model.modes or model.pk in facts or (not model.modes and task == "text-to-image")
    ]


RANKS, RANKS_SECONDS = "catalogue ranks", 10 * MINUTE  # their key in the cache, and how old they may be


@dataclass(frozen=True, slots=True)
class Ranks:
    """Of catalogued models, by id: dollars an image, median seconds, and the rank by either; 1 is the best.

    `commercial` are those whose licence allows commercial use, with name, URL and price, the cheapest first.
    """

    prices: dict[int, float]
    times: dict[int, float]
    price: dict[int, int]
    seconds: dict[int, int]
    commercial: tuple[tuple[str, str, float], ...] = ()


def ranks(task: str) -> Ranks:
    """May be ten minutes old."""
    return get_or_compute(RANKS, task, seconds=RANKS_SECONDS, compute=lambda: ranked(*price_and_speed.of_catalog(task)))


def ranked(models: Mapping[int, ImageModel], facts: Mapping[int, price_and_speed.Facts]) -> Ranks:
    """Of the catalogued models and their facts, by model id."""
    prices = {pk: float(fact.price) for pk, fact in facts.items() if fact.price is not None}
    times = {pk: fact.seconds for pk, fact in facts.items() if fact.seconds is not None}
    free = [models[pk] for pk in prices if rights.of_licence(models[pk].licence).answer == "yes"]
    free.sort(key=lambda model: (prices[model.pk], model.name))
    return Ranks(
        prices,
        times,
        _ranked(prices),
        _ranked(times),
        tuple((model.name, model.get_absolute_url(), prices[model.pk]) for model in free),
    )


def _ranked(values: Mapping[int, float]) -> dict[int, int]:
    return {pk: 1 + sum(other < value for other in values.values()) for pk, value in values.items()}


def category_of(task: str) -> Category | None:
    category: Category | None = Category.objects.filter(mode=task, source_name="").select_related("board").first()
    return category


def shown(rows: Iterable[CatalogueRow], filters: CatalogueFilters) -> list[CatalogueRow]:
    """Those that pass, in order; a limit of price or time passes only what is known. Unknown values sort last."""
    attribute, more_first = SORTS[filters.sort]
    passed = [row for row in at_provider(rows, filters) if _passes(row, filters)]
    value: Callable[[CatalogueRow], Any] = lambda row: getattr(row, attribute)  # noqa: E731
    known = sorted((row for row in passed if value(row) is not None), key=lambda row: row.name)
    known.sort(key=value, reverse=more_first)
    return known + sorted((row for row in passed if value(row) is None), key=lambda row: row.name)


def at_provider(rows: Iterable[CatalogueRow], filters: CatalogueFilters) -> list[CatalogueRow]:
    """What a model costs elsewhere is no answer to a question about one provider."""
    return [row.at(filters.provider) for row in rows] if filters.provider else list(rows)


def fit(row: CatalogueRow, filters: CatalogueFilters) -> Misfit:
    """The limits that the model is known to fail, and those about which nothing is known."""
    model = row.image_model
    searched = f"{model.name} {model.slug} {model.lab.name if model.lab else ''}".casefold()
    needed = {*filters.needs, *([filters.ratio] if filters.ratio else [])}
    checks: list[tuple[str, bool, bool]] = [  # limit, whether it fails, whether that is not known
        ("price", _exceeds(row.price, filters.price), filters.price is not None and row.price is None),
        ("seconds", _exceeds(row.seconds, filters.seconds), filters.seconds is not None and row.seconds is None),
        ("rights", bool(filters.rights) and row.commercial.answer != filters.rights, False),
        ("rights", bool(filters.licence) and model.licence != filters.licence, False),
        ("size", bool(filters.size and row.pixels) and (row.pixels or 0) < int(filters.size[0]),
         bool(filters.size) and not row.pixels),
        ("needs", filters.edits and row.sources is None, False),
        ("needs", bool(needed) and bool(row.facts.sellers) and not needed <= abilities.takes(row.facts),
         bool(needed) and not row.facts.sellers),
        ("needs", filters.open_weights and not model.open_weights, False),
        ("provider", bool(filters.provider) and filters.provider not in row.facts.providers, False),
        ("lab", bool(filters.lab) and (model.lab is None or model.lab.slug != filters.lab), False),
        ("name", bool(filters.q) and filters.q.casefold() not in searched, False),
    ]  # fmt: skip
    return Misfit(
        tuple(dict.fromkeys(name for name, fails, _ in checks if fails)),
        tuple(dict.fromkeys(name for name, _, unknown in checks if unknown)),
    )


def _exceeds(value: Decimal | float | None, limit: Decimal | None) -> bool:
    return limit is not None and value is not None and value > limit


def _passes(row: CatalogueRow, filters: CatalogueFilters) -> bool:
    return fit(row, filters) == Misfit()


def without(rows: Sequence[CatalogueRow], filters: CatalogueFilters) -> tuple[int, str] | None:
    """How many models fit without the one limit that leaves out most, and that filter; None where none alone does."""
    counts = {
        name: len(shown(rows, read({key: text for key, text in filters.given.items() if key != name}, rows)))
        for name in FILTERS
        if name in filters.given
    }
    name = max(counts, key=lambda name: counts[name], default="")
    return (counts[name], name) if counts.get(name) else None
