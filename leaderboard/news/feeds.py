"""What a feed reader follows: changed places of a board, new models, new prices, drift, snapshots. Newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from django.utils import timezone

from arena.models import Category
from leaderboard.models import Drift, Snapshot
from leaderboard.news import changes
from leaderboard.news.movements import Move, moves
from providers.accounts import name_of
from providers.models import Price

ENTRIES = 50
WINDOW = timedelta(days=90)  # how far back models and prices go
NAMED = 3  # models in a title


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """`key` never changes and is unique in its feed; `path` is that of a page."""

    key: str
    title: str
    summary: str
    path: str
    at: datetime


def of_places(category: Category) -> list[FeedEntry]:
    """One entry for each snapshot before which a place of the board changed by more than the votes' noise."""
    taken = list(category.snapshots.defer("cells", "facts").order_by("-pk")[: ENTRIES + 1])
    entries = []
    for snapshot, before in pairwise(taken):
        clear = [move for move in moves(changes.marks(before), changes.marks(snapshot)) if move.is_clear]
        if clear:
            entries.append(_places_entry(category, snapshot, clear))
    return entries


def _places_entry(category: Category, snapshot: Snapshot, clear: list[Move]) -> FeedEntry:
    named = ", ".join(move.model for move in clear[:NAMED])
    more = f" and {len(clear) - NAMED} more" if len(clear) > NAMED else ""
    return FeedEntry(
        f"places/{snapshot.pk}",
        f"{category.name}: {named}{more} moved",
        "; ".join(map(_moved, clear)) + ".",
        snapshot.get_absolute_url(),
        snapshot.taken_at,
    )


def _moved(move: Move) -> str:
    if move.now is None:
        return f"{move.model}: no longer on the board"
    now = f"{move.now.place}, Elo {move.now.elo:.0f}"
    if move.before is None:
        return f"{move.model}: new, {now}"
    return f"{move.model}: {now}; before: {move.before.place}, Elo {move.before.elo:.0f}"


def of_snapshots() -> list[FeedEntry]:
    rows = Snapshot.objects.select_related("category").defer("cells", "ratings").order_by("-pk")[:ENTRIES]
    return [
        FeedEntry(
            f"snapshots/{row.pk}",
            f"Snapshot {row.pk} of {row.category.name}",
            f"{row.facts.get('votes', 0):,} votes. SHA-256 of its cells: {row.sha256}.",
            row.get_absolute_url(),
            row.taken_at,
        )
        for row in rows
    ]


def of_models() -> list[FeedEntry]:
    """Models by their day of release."""
    rows = changes.of_models(timezone.now() - WINDOW)
    entries = []
    for row in rows:
        lab = f" by {row.lab.name}" if row.lab else ""
        if row.retired_at is not None:
            entry = FeedEntry(
                f"models/{row.slug}/retired", f"{row.name} was retired", f"{row.name}{lab} is no longer called.",
                row.get_absolute_url(), row.retired_at,
            )  # fmt: skip
            entries.append(entry)
        if row.released_on is not None:
            at = datetime.combine(row.released_on, time(), UTC)
            text = row.description or f"{row.name}{lab}, released on {row.released_on}."
            entries.append(FeedEntry(f"models/{row.slug}", f"New: {row.name}{lab}", text, row.get_absolute_url(), at))
    return _newest(entries)


def of_prices() -> list[FeedEntry]:
    return [
        FeedEntry(
            f"prices/{change.now.pk}",
            f"{change.now.offering.image_model.name} at {name_of(change.now.offering.provider)}: {_price(change.now)}",
            f"Before: {_price(change.before)}.",
            change.now.offering.image_model.get_absolute_url(),
            change.now.recorded_at,
        )
        for change in changes.of_prices(timezone.now() - WINDOW)
    ]


def _price(price: Price) -> str:
    amount = "unknown" if price.price is None else f"${price.price.normalize():f}"
    return f"{amount} {price.get_price_unit_display()}"


def of_drift() -> list[FeedEntry]:
    """Hosted models that seem to have changed behind their name: one entry a month while it seems so."""
    rows = Drift.objects.filter(is_alarm=True, category__in=Category.objects.all())
    return [
        FeedEntry(
            f"drift/{row.category.slug}/{row.image_model.slug}/{row.checked_at:%Y-%m}",
            f"{row.image_model.name} seems to have changed ({row.category.name})",
            row.claim,
            row.image_model.get_absolute_url(),
            row.checked_at,
        )
        for row in rows.select_related("category", "image_model").order_by("-checked_at", "pk")[:ENTRIES]
    ]


def of_everything() -> list[FeedEntry]:
    """All of the above, of every board."""
    places = [entry for category in Category.objects.all() for entry in of_places(category)]
    return _newest([*places, *of_models(), *of_prices(), *of_drift(), *of_snapshots()])


def _newest(entries: list[FeedEntry]) -> list[FeedEntry]:
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:ENTRIES]
