"""Numbers of model, lab and provider pages as the pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from leaderboard.board.translation import translated
from leaderboard.charts import SPEED
from providers.web import numbers

register = template.Library()


@register.filter
def duration(took: timedelta | float | str | None) -> str:
    """Templates say "" for what is missing on the way to a number."""
    seconds = took.total_seconds() if isinstance(took, timedelta) else took
    return translated(SPEED.write(seconds)) if isinstance(seconds, float) else "–"


@register.filter
def rate(share: float | str | None) -> str:
    """A success rate with a decimal, for 99.9 and 99.0 per cent are ten times as many failures apart."""
    if not isinstance(share, float):
        return "–"
    if share < 1 and share * 100 >= 99.95:
        return f">{numbers.percent(0.999, 1)}"
    return numbers.percent(share, 1)


@register.filter
def of_longest(value: float | None, longest: float) -> str:
    """A bar's length in per cent of the longest."""
    return f"{max(0.5, 100 * value / longest):.1f}%" if value and longest else "0%"


@register.filter
def at(table: Mapping[Any, Any], key: Any) -> Any:
    return table.get(key)


@register.filter
def source_link(text: str) -> SafeString:
    """Where a price was read: a URL becomes a link to the host's page, what stands after it stays."""
    url, _, rest = text.partition(" ")
    if not url.startswith(("https://", "http://")):
        return format_html("{}", text)
    host = urlsplit(url).hostname or url
    words = gettext("%(host)s page") % {"host": host.removeprefix("www.")}
    return format_html('<a href="{}" rel="nofollow">{}</a> {}', url, words, rest)


@register.filter
def coloured(example: Any) -> SafeString:
    """A code example with its strings, keywords and comments marked."""
    pieces = ((piece.kind, piece.text) for piece in example.pieces)
    return format_html_join(
        "", "{}", ((format_html('<span class="{}">{}</span>', kind, text) if kind else text,) for kind, text in pieces)
    )


_SHAPES = {
    "1:1": gettext_lazy("1:1 square"), "4:3": gettext_lazy("4:3 landscape"), "3:4": gettext_lazy("3:4 portrait"),
    "3:2": gettext_lazy("3:2 photo"), "2:3": gettext_lazy("2:3 photo portrait"), "16:9": gettext_lazy("16:9 wide"),
    "9:16": gettext_lazy("9:16 tall"),
}  # fmt: skip


@register.filter
def shape_name(shape: str) -> str:
    """The shape of a competition's images."""
    return str(_SHAPES[shape])


@register.filter
def mode_name(mode: str) -> str:
    return gettext("Image editing") if mode == "edit" else gettext("Text to image")
