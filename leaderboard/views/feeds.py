"""Atom feeds of what changes."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.news import feeds
from leaderboard.news.feeds import FeedEntry
from leaderboard.page_cache import cached_page

CONTENT_TYPE = "application/atom+xml; charset=utf-8"


@require_safe
@cached_page()
def places(request: HttpRequest, slug: str) -> HttpResponse:
    """Of one board: each time places changed by more than noise."""
    category = get_object_or_404(Category.objects, slug=slug)
    title = f"{category.name}: changed places"
    return _feed(request, title, category.get_absolute_url(), feeds.of_places(category))


@require_safe
@cached_page()
def models(request: HttpRequest) -> HttpResponse:
    return _feed(request, "New models", "/models/", feeds.of_models())


@require_safe
@cached_page()
def prices(request: HttpRequest) -> HttpResponse:
    return _feed(request, "Changed prices", "/leaderboard/#week", feeds.of_prices())


@require_safe
@cached_page()
def drift(request: HttpRequest) -> HttpResponse:
    """Of hosted models that seem to have changed behind their name."""
    return _feed(request, "Models that seem to have changed", "/data/", feeds.of_drift())


@require_safe
@cached_page()
def all_changes(request: HttpRequest) -> HttpResponse:
    return _feed(request, "Everything that changes", "/leaderboard/#week", feeds.of_everything())


@require_safe
@cached_page()
def snapshots(request: HttpRequest) -> HttpResponse:
    return _feed(request, "Snapshots", "/snapshots/", feeds.of_snapshots())


def _feed(request: HttpRequest, title: str, path: str, entries: Sequence[FeedEntry]) -> HttpResponse:
    """An entry's id does not name the host's scheme or port, so that it stays the same when those change."""
    host = request.get_host().partition(":")[0]
    feed = Atom1Feed(
        title=f"{title} · {settings.SITE_NAME}",
        link=request.build_absolute_uri(path),
        description=title,
        language="en",
        feed_url=request.build_absolute_uri(request.path),
        feed_guid=f"tag:{host},2026:{request.path}",
        author_name=settings.SITE_NAME,
        feed_copyright="CC BY 4.0",
    )
    for entry in entries:
        feed.add_item(
            title=entry.title,
            link=request.build_absolute_uri(entry.path),
            description=entry.summary,
            unique_id=f"tag:{host},2026:{entry.key}",
            pubdate=entry.at,
            updateddate=entry.at,
        )
    text = StringIO()
    feed.write(text, "utf-8")
    return HttpResponse(text.getvalue(), content_type=CONTENT_TYPE)
