"""Two models' facts line by line, and which of the two is better where one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from django.utils.formats import date_format
from django.utils.translation import gettext

from leaderboard.board import place_words
from leaderboard.board.standings import Standing
from leaderboard.model_facts import rights
from leaderboard.model_facts.price_and_speed import Facts
from leaderboard.rating.place import Place
from leaderboard.rating.shares import wilson
from providers.accounts import name_of
from providers.models import ImageModel
from providers.spending.money import usd
from providers.web import numbers

Better = Literal["", "one", "other"]


@dataclass(frozen=True, slots=True)
class FactRow:
    label: str
    one: str
    other: str
    better: Better = ""


def of_two(
    models: Sequence[ImageModel], standings: Sequence[Standing | None], known: Mapping[int, Facts]
) -> list[FactRow]:
    """Of two models, with their standings in the category that the comparison is about; None is not rated there."""
    facts = [known.get(model.pk, Facts()) for model in models]
    prices, seconds = [fact.price for fact in facts], [fact.seconds for fact in facts]
    usable = [_usable_price(fact, standing) for fact, standing in zip(facts, standings, strict=True)]
    commercial = [rights.of_licence(model.licence) for model in models]
    rows = [
        _row(gettext("place"), (_place(standing) for standing in standings), _better_place(standings)),
        _row(gettext("usable"), (_percent(_rate(standing)) for standing in standings), _better_rate(standings)),
        _row(gettext("price"), (_money(price) for price in prices), _less(*prices)),
        _row(gettext("price per usable image"), (_money(price) for price in usable), _less(*usable)),
        _row(gettext("median time"), (_time(value) for value in seconds), _less(*seconds)),
        _row(gettext("commercial use"), (_rights(use) for use in commercial)),
        _row(gettext("can"), (_tasks(model) for model in models)),
        _row(gettext("providers"), (_providers(fact) for fact in facts)),
        _row(gettext("lab"), (model.lab.name if model.lab else gettext("unknown") for model in models)),
        _row(gettext("released"), (_day(model) for model in models)),
    ]
    return [row for row in rows if not (row.one == row.other and row.one in ("–", place_words.text(Place.unknown())))]


def _row(label: str, values: Iterable[str], better: Better = "") -> FactRow:
    one, other = values
    return FactRow(label, one, other, better)


def _place(standing: Standing | None) -> str:
    return place_words.text(standing.place if standing else Place.unknown())


def _better_place(standings: Sequence[Standing | None]) -> Better:
    """Where the bounds do not overlap."""
    places = [standing.place if standing and standing.place.is_known else None for standing in standings]
    one, other = places
    if one is None or other is None:
        return ""
    return "one" if (one.high or 0) < (other.low or 0) else "other" if (other.high or 0) < (one.low or 0) else ""


def _rate(standing: Standing | None) -> float | None:
    return standing.keeper_rate if standing else None


def _better_rate(standings: Sequence[Standing | None]) -> Better:
    """Where the 95 % intervals of the two shares do not overlap."""
    bounds: list[Any] = [
        wilson(standing.keeper_rate, standing.rating.votes) if standing and standing.keeper_rate is not None else None
        for standing in standings
    ]
    one, other = bounds
    if one is None or other is None:
        return ""
    return "one" if one[0] > other[1] else "other" if other[0] > one[1] else ""


def _usable_price(facts: Facts, standing: Standing | None) -> Decimal | None:
    """What an image costs that is not called bad: price ÷ share of usable ones."""
    rate = _rate(standing)
    return facts.price / Decimal(str(rate)) if facts.price is not None and rate else None


def _less(one: Any, other: Any) -> Better:
    if one is None or other is None or one == other:
        return ""
    return "one" if one < other else "other"


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
