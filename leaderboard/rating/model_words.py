"""The sentences about a model: where it stands on a board or, without votes, by price or by speed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.rating.number_words import ordinal
from leaderboard.rating.place import Place, sure
from providers.web.sentence import sentence, sentences

_ORDINALS = (
    "", "", sentence("Second"), sentence("Third"), sentence("Fourth"), sentence("Fifth"), sentence("Sixth"),
    sentence("Seventh"), sentence("Eighth"), sentence("Ninth"), sentence("Tenth"),
)  # fmt: skip


def placed(place: Place, low: int, high: int, category: str, level_with: Sequence[str]) -> str:
    """See `verdict.of_model`; `low` and `high` are the bounds of the place."""
    values: dict[str, Any] = {"models": place.of, "category": category}
    if place.is_tied_with_all and place.of == 2:
        return sentence("Too early: tied with the only other model in %(category)s.", **values)
    if place.is_tied_with_all:
        return sentence("Too early: tied with all %(models)s in %(category)s.", **values)
    if place.is_first and place.best is not None:
        return sentence(
            "First of %(models)s in %(category)s (%(chance)s sure): ahead of all the others.",
            chance=sure(place.best),
            **values,
        )
    if place.is_first:
        return sentence("First of %(models)s in %(category)s: ahead of all the others.", **values)
    if low == high:
        return sentence("%(place)s of %(models)s in %(category)s: level with none.", place=ordinal(low), **values)
    return _level(low, high, level_with, values)


def _level(low: int, high: int, level_with: Sequence[str], values: dict[str, Any]) -> str:
    """About a place with bounds that differ: with how many others it is level, and whether all else is on one side."""
    level = high - low
    values["others"] = (
        level_with[0]
        if level == 1 and len(level_with) == 1
        else sentences("one other", "%(others)s others", level, others=level)
    )
    values["bounds"] = (
        sentence("First or second")
        if (low, high) == (1, 2)
        else sentence("%(low)s to %(high)s", low=ordinal(low), high=ordinal(high))
    )
    if low == 1:
        return sentence(
            "%(bounds)s of %(models)s in %(category)s: level with %(others)s, ahead of all the others.", **values
        )
    if high == values["models"]:
        return sentence(
            "%(bounds)s of %(models)s in %(category)s: level with %(others)s, behind all the others.", **values
        )
    return sentence("%(bounds)s of %(models)s in %(category)s: level with %(others)s.", **values)


def unplaced(category: str, votes: int) -> str:
    return sentences(
        "No place in %(category)s yet, after %(votes)s vote.", "No place in %(category)s yet, after %(votes)s votes.",
        votes, category=category, votes=votes,
    )  # fmt: skip


def cheapest(rank: int, models: int) -> str:
    """Of so many models with a price; `rank` from 1 to 10."""
    if rank == 1:
        return sentence("Cheapest of %(models)s priced models; nobody has rated it here yet.", models=models)
    return sentence(
        "%(nth)s cheapest of %(models)s priced models; nobody has rated it here yet.",
        nth=_ORDINALS[rank], models=models,
    )  # fmt: skip


def fastest(rank: int, models: int) -> str:
    """Of so many models whose time is measured; `rank` from 1 to 10."""
    if rank == 1:
        return sentence("Fastest of %(models)s timed models; nobody has rated it here yet.", models=models)
    return sentence(
        "%(nth)s fastest of %(models)s timed models; nobody has rated it here yet.", nth=_ORDINALS[rank], models=models
    )  # fmt: skip
