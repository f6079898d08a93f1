"""Models' facts line by line, and which of them is better where one is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.utils.formats import date_format
from django.utils.translation import gettext

from leaderboard.board import place_words
from leaderboard.board.standings import Standing
from leaderboard.comparison.side_by_side import CategoryComparison
from leaderboard.model_facts import rights
from leaderboard.model_facts.price_and_speed import Facts
from leaderboard.rating.place import Place
from leaderboard.rating.shares import wilson
from providers.accounts import name_of
from providers.models import ImageModel
from providers.spending.money import usd
from providers.web import numbers

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FactRow:
    label: str
    values: tuple[str, ...]  # one for each model
    best: int | None = None  # which of them is better than every other one


def of_models(
    models: Sequence[ImageModel],
    standings: Sequence[Standing | None],
    known: Mapping[int, Facts],
    elsewhere: Sequence[CategoryComparison] = (),
) -> list[FactRow]:
    """Of two to four models, with their standings in the category that the comparison is about (None: not rated there)
    and in the others."""
    facts = [known.get(model.pk, Facts()) for model in models]
    prices, seconds = [fact.price for fact in facts], [fact.seconds for fact in facts]
    usable = [_usable_price(fact, standing) for fact, standing in zip(facts, standings, strict=True)]
    commercial = [rights.of_licence(model.licence) for model in models]
    rows = [
        _row(gettext("place"), map(_place, standings), _best(map(_known_place, standings), _is_above)),
        *(_row(other.category.name, map(_place, other.standings)) for other in elsewhere),
        _row(gettext("usable"), map(_percent, map(_rate, standings)), _best(map(_rate_bounds, standings), _is_surer)),
        _row(gettext("price"), map(_price, facts), _best(prices, operator.lt)),
        _row(gettext("price per usable image"), map(_money, usable), _best(usable, operator.lt)),
        _row(gettext("median time"), map(_time, seconds), _best(seconds, operator.lt)),
        _row(gettext("commercial use"), map(_rights, commercial)),
        _row(gettext("can"), map(_tasks, models)),
        _row(gettext("providers"), map(_providers, facts)),
        _row(gettext("lab"), (model.lab.name if model.lab else gettext("unknown") for model in models)),
        _row(gettext("released"), map(_day, models)),
    ]
    nothing = {"–", place_words.text(Place.unknown())}
    return [row for row in rows if len(set(row.values)) > 1 or row.values[0] not in nothing]


def _row(label: str, values: Iterable[str], best: int | None = None) -> FactRow:
    shown = tuple(values)
    differs = best is not None and shown.count(shown[best]) == 1  # 6.84 s and 6.76 s are both shown as 6.8 s
    return FactRow(label, shown, best if differs else None)


def _best(values: Iterable[Value | None], is_better: Callable[[Value, Value], bool]) -> int | None:
    """The index of the value that is better than every other one; None where there is none, or one is unknown."""
    rows = list(values)
    known = [value for value in rows if value is not None]
    if len(known) < len(rows):
        return None
    for index, value in enumerate(known):
        if all(is_better(value, other) for other in known[:index] + known[index + 1 :]):
            return index
    return None


def _place(standing: Standing | None) -> str:
    return place_words.text(standing.place if standing else Place.unknown())


def _known_place(standing: Standing | None) -> Place | None:
    return standing.place if standing and standing.place.is_known else None


def _is_above(one: Place, other: Place) -> bool:
    """Where the bounds do not overlap."""
    return (one.high or 0) < (other.low or 0)


def _rate(standing: Standing | None) -> float | None:
    return standing.keeper_rate if standing else None


def _rate_bounds(standing: Standing | None) -> tuple[float, float] | None:
    rate = _rate(standing)
    return wilson(rate, standing.rating.votes) if standing and rate is not None else None


def _is_surer(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Where the 95 % intervals of two shares do not overlap."""
    return one[0] > other[1]


def _usable_price(facts: Facts, standing: Standing | None) -> Decimal | None:
    """What an image costs that is not called bad: price ÷ share of usable ones."""
    rate = _rate(standing)
    return facts.price / Decimal(str(rate)) if facts.price is not None and rate else None


def _price(facts: Facts) -> str:
    price = _money(facts.price)
    return f"{price}, {gettext('estimated')}" if facts.price is not None and facts.is_estimated else price


def _money(price: Decimal | None) -> str:
    return "–" if price is None else usd(price if price >= Decimal("0.1") else round(price, 4))


def _percent(share: float | None) -> str:
    return numbers.percent(share)


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{numbers.decimal(seconds, 1)} s"


def _providers(facts: Facts) -> str:
    return ", ".join(map(name_of, facts.providers)) or gettext("none listed")


def _rights(use: rights.CommercialUse) -> str:
    answers = {"yes": gettext("yes"), "ask": gettext("ask"), "no": gettext("no")}
    reasons = {"own terms": gettext("own terms"), "licence unknown": gettext("licence unknown")}
    return f"{answers[use.answer]}, {reasons.get(use.reason, use.reason)}"


def _tasks(model: ImageModel) -> str:
    names = {"edit": gettext("edit images"), "text-to-image": gettext("text to image")}
    return ", ".join(names.get(mode, mode) for mode in model.modes) or gettext("unknown")


def _day(model: ImageModel) -> str:
    return date_format(model.released_on, "DATE_FORMAT") if model.released_on else gettext("unknown")
