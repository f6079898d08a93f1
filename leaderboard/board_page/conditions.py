"""The filters of a board in words, of its page alone: under $0.02 with commercial rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext

from leaderboard.board_page import rows
from leaderboard.board_page.filters import BoardRow, Filters
from providers.spending.money import usd
from providers.web.numbers import significant


def of(filters: Filters) -> str:
    """As they begin a sentence, in the reader's language; "" without filters."""
    words = " ".join(filter(None, (*_limits(filters), *_origins(filters))))
    return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Loosened:
    """The filter to leave out where no row passes all: in words, the query without it, and how many pass then."""

    words: str
    query: str
    models: int


def loosened(board: Sequence[BoardRow], filters: Filters) -> Loosened | None:
    """None where leaving out one filter does not help; see `rows.without`."""
    widest = rows.without(board, filters)
    if widest is None:
        return None
    name, models = widest
    return Loosened(of(filters.only(name)), filters.query(**{name: ""}), models)


def _limits(filters: Filters) -> list[str]:
    rights = {
        "yes": gettext("with commercial rights"),
        "ask": gettext("with rights to ask for"),
        "no": gettext("without commercial rights"),
    }
    weights = {"open": gettext("with open weights"), "closed": gettext("without open weights")}
    return [
        gettext("named “%(text)s”") % {"text": filters.q} if filters.q else "",
        "" if filters.price is None else gettext("under %(price)s") % {"price": usd(filters.price)},
        ""
        if filters.seconds is None
        else gettext("within %(time)s") % {"time": f"{significant(filters.seconds, 6)} s"},
        rights.get(filters.rights, ""),
        weights.get(filters.weights, ""),
    ]


def _origins(filters: Filters) -> list[str]:
    since = "" if filters.released is None else date_format(filters.released, "DATE_FORMAT")
    return [
        gettext("under the licence %(licence)s") % {"licence": filters.licence} if filters.licence else "",
        gettext("of %(lab)s") % {"lab": filters.lab} if filters.lab else "",
        gettext("at %(provider)s") % {"provider": filters.provider} if filters.provider else "",
        gettext("released since %(day)s") % {"day": since} if since else "",
        gettext("without unsettled ratings") if filters.status else "",
    ]
