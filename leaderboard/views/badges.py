"""Images for other people's pages: they may be shown anywhere, and are never older than their date says by a day."""

from __future__ import annotations

import time
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.board import standings
from leaderboard.social_cards import badge as drawing
from leaderboard.social_cards import pair as pairs
from providers.cache import ProcessCache

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


# By category and hour: drawing takes a tenth of a second. An image that is taken away is gone from it within a minute.
_pairs: ProcessCache[tuple[int, int], bytes | None] = ProcessCache(seconds=25, max_entries=50)


@require_safe
@cache_control(public=True, max_age=600, stale_while_revalidate=3600)
def badge(request: HttpRequest, slug: str, model: str) -> HttpResponse:
    """One model on one board."""
    category = _category(slug)
    rating = category.ratings.select_related("image_model").filter(image_model__slug=model).first()
    if rating is None:
        raise Http404(f"There is no model {model} on the board {slug}.")
    return _image(drawing.of_model(rating, category.name, _computed_at(category)))


@require_safe
@cache_control(public=True, max_age=600, stale_while_revalidate=3600)
def top(request: HttpRequest, slug: str) -> HttpResponse:
    """A board's first rows."""
    category = _category(slug)
    return _image(drawing.of_board(standings.board(category), category.name, _computed_at(category)))


@require_safe
@cache_control(public=True, max_age=25)
def pair(request: HttpRequest, slug: str) -> HttpResponse:
    """Two images that are voted on now, for a link to the voting page: the same to everybody until the hour is over."""
    category, hour = _category(slug), int(time.time()) // pairs.SECONDS
    picture = _pairs.get_or_compute((category.pk, hour), lambda: pairs.of_category(category, hour))
    if picture is None:
        raise Http404(f"Nothing is voted on in {slug}.")
    return HttpResponse(picture, content_type="image/jpeg", headers=HEADERS)


def _category(slug: str) -> Category:
    category: Category = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    return category


def _computed_at(category: Category) -> datetime | None:
    board = standings.about(category)
    return board.computed_at if board else None


def _image(svg: str) -> HttpResponse:
    return HttpResponse(svg, content_type="image/svg+xml; charset=utf-8", headers=HEADERS)
