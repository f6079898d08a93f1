"""Boards in templates: addresses that sort, and numbers as the rows write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from leaderboard.filters import SORTS, Filters

register = template.Library()


@register.simple_tag
def sort_query(filters: Filters, by: str) -> str:
    """The query that sorts by this column; the other way round if it is sorted by it already."""
    turned = filters.sort == by and not filters.reverse
    return filters.query(sort=f"-{by}" if turned else "" if by == "rank" else by)


@register.filter
def ascends(filters: Filters) -> bool:
    return SORTS[filters.sort][1] == filters.reverse


@register.filter
def get(table: Mapping[str, Any], key: str) -> Any:
    return table.get(key, "")


@register.filter
def seconds(value: float | None) -> str:
    """Seconds with two digits that count: 0.42 s, 2.4 s, 14 s."""
    if value is None:
        return "–"
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.1f} s" if value >= 0.995 else f"{value:.2f} s"
