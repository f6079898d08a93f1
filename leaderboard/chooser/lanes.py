"""The catalogue's rows under heads in the reader's language: rated, unrated and imported ones are never mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from leaderboard.chooser import catalogue
from leaderboard.chooser.catalogue import CatalogueFilters, CatalogueRow
from leaderboard.chooser.choice import Choice
from providers.models import ImageModel
from providers.spending.money import listed


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows under one head; `folded` of them are behind a link with the query `unfold`."""

    title: str
    note: str
    rows: Sequence[CatalogueRow]
    folded: int = 0
    unfold: str = ""
    folded_from: str = ""  # their lowest price and
    folded_to: str = ""  # their highest; "" where there are no two
    folded_unpriced: int = 0  # of them those without a known price


def of_choice(answer: Choice) -> list[Lane]:
    is_clear = answer.is_clear or len(answer.rated) < 2
    rated, unrated, possible = len(answer.rated), len(answer.unrated), len(answer.possible)
    lanes = [
        Lane(
            ngettext("%(n)s rated model fits", "%(n)s rated models fit", rated) % {"n": rated},
            "" if is_clear else gettext("tied ones by the price of a usable image"),
            answer.rated,
        ),
        Lane(
            ngettext("%(n)s unrated model fits", "%(n)s unrated models fit", unrated) % {"n": unrated},
            gettext("cheapest first"),
            answer.unrated,
        ),
        Lane(
            gettext("%(n)s would fit if more were known") % {"n": possible},
            gettext("their price, time or size is not known here"),
            answer.possible,
        ),
    ]
    return [lane for lane in lanes if lane.rows]


def of_table(shown: Sequence[CatalogueRow], filters: CatalogueFilters) -> list[Lane]:
    rated = [row for row in shown if row.rating]
    imported = [row for row in shown if not row.rating and row.image_model.origin == ImageModel.Origin.IMPORTED]
    others = [row for row in shown if not row.rating and row not in imported]
    is_folded = "rated" not in filters.given
    hides = bool(others) and len(imported) > catalogue.FOLD and not filters.active and is_folded
    early = all(row.rating and row.rating.place.is_tied_with_all for row in rated)
    lanes = [
        Lane(
            gettext("%(n)s rated by votes") % {"n": len(rated)},
            gettext("too early: all %(n)s could be first") % {"n": len(rated)} if early and len(rated) > 1 else "",
            *_folded(rated, catalogue.FOLD if is_folded and others else len(rated), filters),
        ),
        Lane(
            gettext("%(n)s not rated yet") % {"n": len(others)},
            gettext("nobody has voted on their images here; price, rights and speed are known all the same"),
            *_folded(others, catalogue.FOLD_LAST if is_folded else len(others), filters),
        ),
        Lane(
            gettext("%(n)s known from imported votes only") % {"n": len(imported)},
            gettext("nobody sells them here"),
            imported[: catalogue.FOLD] if hides else imported,
            len(imported) - catalogue.FOLD if hides else 0,
            filters.query(rated="all"),
        ),
    ]
    return [lane for lane in lanes if lane.rows]


def _folded(
    rows: Sequence[CatalogueRow], first: int, filters: CatalogueFilters
) -> tuple[Sequence[CatalogueRow], int, str, str, str, int]:
    """A lane's fields from `rows` on, of which the `first` ones are shown."""
    rest = rows[first:]
    known = [row.price for row in rest if row.price is not None]
    prices = (listed(min(known)), listed(max(known))) if len(set(known)) > 1 else ("", "")
    return rows[:first], len(rest), filters.query(rated="all"), *prices, len(rest) - len(known)
