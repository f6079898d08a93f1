"""A category's candidates for the chooser, and the filters of a query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from arena.models import Category
from leaderboard.board import standings
from leaderboard.board.standings import Standing
from leaderboard.board_page import price_and_speed
from leaderboard.chooser.rules import Candidate, CandidateFilters
from providers.offering import sizing

# Query parameters of the filters, besides the needs.
WORDS = ("budget", "seconds", "weights", "licence", "tier", "ratio")
TIERS = ("1K", "2K", "4K")
RATIOS = ("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9")
# Parameters a buyer may not do without, in the words of a form. Others are too many to list, and too rare to need.
NEEDS = {
    "seed": "Seed: the same image again",
    "negative_prompt": "Negative prompt",
    "n": "Several images in one call",
    "output_format": "Choice of file format",
    "quality": "Quality levels",
    "background": "Transparent background",
    "image": "Reference images",
}


@dataclass(frozen=True, slots=True)
class ChooserForm:
    """The form as filled in: the filters, every word as written, and what could not be used."""

    filters: CandidateFilters
    given: Mapping[str, Any]
    errors: Mapping[str, str]


def candidates(category: Category) -> list[Candidate]:
    """Every model of the board as every provider sells it; one nobody sells is there once, without a price."""
    board = standings.board(category)
    known = price_and_speed.of_models([row.rating.image_model_id for row in board], category.mode, parameters=True)
    rows: list[Candidate] = []
    for standing in board:
        sellers = known.get(standing.rating.image_model_id, price_and_speed.Facts()).sellers
        rows += [_candidate(standing, seller) for seller in sellers] or [_candidate(standing, None)]
    return rows


def _candidate(standing: Standing, seller: price_and_speed.OfferingFacts | None) -> Candidate:
    model = standing.rating.image_model
    takes, sizes = frozenset[str](), frozenset[str]()
    if seller is not None:
        takes, sizes = _abilities(json.dumps(seller.offering.parameters, sort_keys=True))
    return Candidate(
        model=model.slug,
        provider=seller.provider if seller else "",
        elo=standing.rating.elo,
        half_width=standing.half_width,
        is_provisional=standing.rating.status == "provisional",
        price=seller.price if seller else None,
        seconds=seller.seconds if seller else None,
        keeper_rate=standing.keeper_rate,
        success_rate=seller.success_rate if seller else None,
        licence=model.licence,
        open_weights=model.open_weights,
        takes=takes,
        sizes=sizes,
        about=standing,
    )


@lru_cache(maxsize=2048)
def _abilities(parameters: str) -> tuple[frozenset[str], frozenset[str]]:
    """What an offering takes, and its resolutions and shapes. Most offerings share a few parameter tables."""
    table = json.loads(parameters)
    takes = {row["name"] for row in table.get("accepts", ()) if row.get("behaviour") != "emulated"}
    takes |= {name for name in ("n", "images") if table.get(name)}
    if "images" in takes:
        takes = takes - {"images"} | {"image"}
    supported = sizing.supported(table.get("size", {"family": "none"}))
    shapes = {ratio for rows in supported.values() for ratio, _, _ in rows}
    return frozenset(takes), frozenset({*supported, *shapes})


def read(words: Mapping[str, str], needs: Iterable[str], licences: Iterable[str]) -> ChooserForm:
    """The filters of a query; what cannot be used is left out and said in `errors`."""
    given: dict[str, Any] = {name: text.strip() for name, text in words.items() if text.strip()}
    given["need"] = list(needs)
    errors: dict[str, str] = {}

    def number(name: str, most: Decimal, example: str) -> Decimal | None:
        if name not in given:
            return None
        try:
            value = Decimal(given[name].removeprefix("$"))
        except InvalidOperation:
            value = Decimal(-1)
        if not (value.is_finite() and 0 <= value <= most):
            errors[name] = f"“{given[name]}” is not a number from 0 to {most}. Write it like {example}."
            return None
        return value

    def one_of(name: str, allowed: Iterable[str]) -> str:
        value = str(given.get(name, ""))
        if value and value not in (names := list(allowed)):
            errors[name] = f"“{value}” cannot be chosen here. Choose one of: {', '.join(names) or 'nothing yet'}."
            return ""
        return value

    if unknown := [name for name in given["need"] if name not in NEEDS]:
        errors["need"] = f"“{unknown[0]}” is not a parameter to ask for. Choose from: {', '.join(NEEDS)}."
    seconds = number("seconds", Decimal(3600), "10")
    filters = CandidateFilters(
        budget=number("budget", Decimal(1000), "0.04"),
        seconds=None if seconds is None else float(seconds),
        open_weights=one_of("weights", ("open",)) == "open",
        licence=one_of("licence", licences),
        takes=frozenset(name for name in given["need"] if name in NEEDS),
        sizes=frozenset(filter(None, (one_of("tier", TIERS), one_of("ratio", RATIOS)))),
    )
    return ChooserForm(filters, given, errors)
