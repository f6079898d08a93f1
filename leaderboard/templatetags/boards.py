"""Boards in templates: addresses that sort, and numbers as the rows write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from leaderboard.board_page.filters import SORTS, BoardRow, Filters
from leaderboard.chooser import catalogue_words
from leaderboard.chooser.catalogue import CatalogueFilters, CatalogueRow
from providers.spending.money import listed, usd
from providers.web.numbers import percent, seconds, whole

register = template.Library()


@register.simple_tag
def sort_query(filters: Filters, by: str) -> str:
    """The query that sorts by this column; the other way round if it is sorted by it already."""
    turned = filters.sort == by and not filters.reverse
    return filters.query(sort=f"-{by}" if turned else "" if by == "rank" else by)


@register.simple_tag
def board_query(filters: Filters, window: str = "", tag: str = "") -> str:
    """The address of another board of the category, with the same filters and order."""
    return f"?{query}" if (query := filters.query(window=window, tag=tag)) else "."


@register.simple_tag
def sort_state(filters: Filters, by: str) -> SafeString:
    """The attribute that says whether a column sorts the table, and which way."""
    if filters.sort != by:
        return mark_safe("")
    return format_html('aria-sort="{}"', "ascending" if ascends(filters) else "descending")


@register.simple_tag
def catalogue_query(filters: CatalogueFilters, by: str) -> str:
    """The query of the catalogue sorted by this column."""
    return filters.query(sort="" if by == "price" else by)


@register.filter
def choices_with(filters: Filters | CatalogueFilters, name: str) -> list[tuple[str, str]]:
    """The usual limits of a price or time, and the one that the URL has: as URLs and as pages write them."""
    usual = {"price": ["0.01", "0.02", "0.05", "0.10"], "seconds": ["2", "5", "10", "30"]}[name]
    given = filters.given.get(name, "")
    values = usual if given in ("", *usual) else [*usual, given]
    return [(value, _limit(value, is_price=name == "price")) for value in values]


def _limit(value: str, *, is_price: bool) -> str:
    """As written where it is no number: the page says what is wrong with it."""
    try:
        return usd(Decimal(value)) if is_price else number_format(Decimal(value))
    except InvalidOperation:
        return value


register.filter("listed_price", listed)
register.filter("price_note", catalogue_words.price_note)
register.filter("edits_of", catalogue_words.edits)


@register.filter
def in_words(row: CatalogueRow) -> str:
    """Seconds, largest image and edits as far as they are known, for a row without columns."""
    time = "" if row.seconds is None else seconds(row.seconds)
    return " · ".join(filter(None, (time, row.largest, "" if row.sources is None else gettext("edits"))))


@register.filter
def origin_of_row(row: BoardRow) -> str:
    return origin(row.origin)


@register.filter
def origin(value: str) -> str:
    """What a reader must know of a model before its numbers; nothing of a catalogued one."""
    return {"sample": gettext("sample"), "imported": gettext("imported")}.get(value, "")


@register.filter
def subtitle(row: BoardRow) -> str:
    """The line under a model's name: that it can be had no more; that its rating is not settled, or whose it is."""
    words = row.lab_name
    if row.status == "provisional":
        unsettled = ngettext("unsettled: %(votes)s vote", "unsettled: %(votes)s votes", row.votes)
        words = unsettled % {"votes": whole(row.votes)}
    retired = gettext("retired") if row.standing.rating.image_model.retired_at else ""
    return " · ".join(filter(None, (retired, words)))


@register.filter
def facts_of_row(row: BoardRow) -> str:
    """A board's share of usable images, price and seconds as far as they are known, for a row without columns."""
    usable = "" if row.keeper_rate is None else gettext("%(share)s usable") % {"share": percent(row.keeper_rate)}
    price = "" if row.price is None else f"{listed(row.price)}{'≈' if row.facts.is_estimated else ''}"
    return " · ".join(filter(None, (usable, price, "" if row.seconds is None else seconds(row.seconds))))


@register.filter
def bare_seconds(value: float | None) -> str:
    """Seconds as a column writes them, whose head has the unit."""
    return seconds(value).removesuffix(" s")


@register.filter
def ascends(filters: Filters) -> bool:
    return SORTS[filters.sort][1] == filters.reverse


@register.filter
def get(table: Mapping[str, Any], key: str) -> Any:
    return table.get(key, "")


@register.filter
def at(table: Mapping[Any, Any], key: Any) -> Any:
    return table.get(key)


@register.filter
def split(words: str) -> list[str]:
    return words.split(",")


register.filter(seconds)
