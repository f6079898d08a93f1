"""What happened, as the feeds have it: each event with a key that never changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from arena.models import Category, Competition
from leaderboard.models.webhooks import Event
from leaderboard.news import feeds
from leaderboard.news.feeds import FeedEntry


def since(event: str, moment: datetime) -> list[FeedEntry]:
    """The events of a kind after that moment, oldest first."""
    entries = [entry for entry in _KINDS[event]() if entry.at > moment]
    return sorted(entries, key=lambda entry: entry.at)


def payload(event: str, entry: FeedEntry) -> dict[str, Any]:
    """What is sent: the kind, when, and what in words, with the path of the page that shows it."""
    data = {"title": entry.title, "summary": entry.summary, "path": entry.path}
    return {"type": event, "timestamp": entry.at.isoformat(), "data": data}


def _places() -> list[FeedEntry]:
    return [entry for category in Category.objects.all() for entry in feeds.of_places(category)]


def _competitions() -> list[FeedEntry]:
    closed = Competition.objects.published().filter(closes_at__lte=timezone.now()).select_related("category")
    return [
        FeedEntry(
            f"competitions/{row.slug}", f"{row.title} closed", f"Judged by {row.criterion}, in {row.category.name}.",
            row.get_absolute_url(), row.closes_at,
        )
        for row in closed.order_by("-closes_at")[: feeds.ENTRIES]
        if row.closes_at is not None
    ]  # fmt: skip


_KINDS: dict[str, Callable[[], list[FeedEntry]]] = {
    Event.PLACES: _places,
    Event.MODEL: feeds.of_models,
    Event.PRICE: feeds.of_prices,
    Event.DRIFT: feeds.of_drift,
    Event.SNAPSHOT: feeds.of_snapshots,
    Event.COMPETITION: _competitions,
}
