"""Templates rendered once per combination of their conditions, and filled with values by joining strings.

A battle's page and the reply to a vote consist of the same few pieces with other texts in them. Django's templates stay
their only source: a template is rendered with marks in place of its values, cut at the marks, and the pieces are
cached. Filling them takes a hundredth of what rendering takes. It is right as long as the template does nothing with a
value but print it: what it decides on must be among the conditions, which are part of the cache's key, as the language
is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Hashable, Mapping

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from providers.cache import ProcessCache

SECONDS = 10.0  # a page's frame lists categories, which may change; and a template that is being worked on
DAY = 24 * 3600.0
_START, _END = "\ue000", "\ue001"  # private-use characters: no filter and no escaping changes them
_MARK = re.compile(f"{_START}([a-z_]+){_END}")

Pieces = list[str]  # text, name of a value, text, name, …, text
_Cache = ProcessCache[tuple[Hashable, ...], Pieces]
_pages: _Cache = ProcessCache(seconds=SECONDS, max_entries=1000)
# Nothing but the key decides what a fragment's pieces are. Where votes come now and then, rendering its templates again
# would be most of a vote's time.
_fragments: _Cache = ProcessCache(seconds=SECONDS if settings.DEBUG else DAY, max_entries=1000)


def fill(
    template: str,
    conditions: Mapping[str, Hashable],
    values: Mapping[str, str],
    request: HttpRequest | None = None,
) -> SafeString:
    """The template's text with these conditions and values; values that are not marked safe are escaped.

    With a `request`, context processors take part; what they add must depend on nothing but host and name of the URL.
    """
    key: tuple[Hashable, ...] = (template, get_language(), frozenset(conditions.items()))
    cache = _fragments
    if request is not None:
        view = request.resolver_match
        key, cache = (*key, request.scheme, request.get_host(), view.view_name if view else ""), _pages
    pieces = cache.get_or_compute(key, lambda: _pieces(template, conditions, values, request))
    filled = pieces.copy()
    filled[1::2] = [text(values[name]) for name in pieces[1::2]]
    return mark_safe("".join(filled))  # noqa: S308 - every value was escaped


def text(value: str) -> str:
    """As a template prints it. Not by Django's `escape`, which looks first whether its argument is lazy: that took a
    tenth of a vote's time."""
    return value if isinstance(value, SafeString) else html.escape(value)


def _pieces(
    template: str, conditions: Mapping[str, Hashable], values: Mapping[str, str], request: HttpRequest | None
) -> Pieces:
    marks = {name: mark_safe(f"{_START}{name}{_END}") for name in values}  # noqa: S308 - our own characters
    return _MARK.split(render_to_string(template, {**conditions, **marks}, request))
