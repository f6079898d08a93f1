"""Boards in templates: addresses that sort, and numbers as the rows write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from arena.templatetags.arena import usd
from leaderboard.board_page.filters import SORTS, Filters
from leaderboard.chooser.rules import Candidate, preferred

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


@register.filter
def ascends(filters: Filters) -> bool:
    return SORTS[filters.sort][1] == filters.reverse


@register.filter
def get(table: Mapping[str, Any], key: str) -> Any:
    return table.get(key, "")


@register.filter
def split(words: str) -> list[str]:
    return words.split(",")


@register.filter
def seconds(value: float | None) -> str:
    """Seconds with two digits that count: 0.42 s, 2.4 s, 14 s."""
    if value is None:
        return "–"
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.1f} s" if value >= 0.995 else f"{value:.2f} s"


@register.simple_tag
def preference_over_next(front: Sequence[Candidate], index: int) -> str:
    """What the step down to the next of the front gives up, and saves."""
    one, other = front[index], front[index + 1]
    if one.price is None or other.price is None:
        return ""
    share = preferred(one.elo, other.elo)
    saved = one.price - other.price
    price = f"for {usd(saved)} more" if saved > 0 else "for less money" if saved < 0 else "for the same price"
    if one.model == other.model:
        return f"The same model as the next, {price}."
    return f"Preferred to the next in {share * 100:.0f}% of votes, {price}."
