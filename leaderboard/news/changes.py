"""What changed in the last week: a board against its snapshot, prices against their history, what is new."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from arena.models import Category, Competition
from leaderboard.board import snapshots
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating, Snapshot
from leaderboard.news.movements import Mark, Move, moves
from leaderboard.rating.elo import Z95
from leaderboard.rating.place import Place
from providers.models import ImageModel, Price

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Moved:
    """A board's moves since one of its snapshots: a week old, or its first where it is younger than a week."""

    since: datetime
    snapshot: int
    moves: list[tuple[Move, ImageModel | None]]  # those that the votes' noise alone does not explain
    noise: int  # how many others there were


@dataclass(frozen=True, slots=True)
class PriceChange:
    """An offering's new price beside the one before; both for the same unit."""

    now: Price
    before: Price


@dataclass(frozen=True, slots=True)
class RecentChanges:
    """What a reader of one category's board missed in seven days."""

    board: Moved | None  # None before its first snapshot
    prices: list[PriceChange]
    models: list[ImageModel]
    competitions: list[Competition]

    @property
    def is_quiet(self) -> bool:
        return not ((self.board and self.board.moves) or self.prices or self.models or self.competitions)


def of_category(category: Category) -> RecentChanges:
    """May be ten minutes old."""
    return get_or_compute("week", version(category), seconds=10 * MINUTE, compute=lambda: _of_category(category))


def _of_category(category: Category) -> RecentChanges:
    return RecentChanges(
        _of_board(category),
        [change for change in of_prices() if change.now.offering.mode == category.mode],
        [model for model in of_models() if category.mode in model.modes],
        _of_competitions(category),
    )


def _of_board(category: Category) -> Moved | None:
    taken = category.snapshots.defer("cells", "facts")
    week = taken.filter(taken_at__lte=timezone.now() - WEEK).order_by("-taken_at", "-pk")
    snapshot = week.first() or taken.order_by("taken_at", "pk").first()
    if snapshot is None:
        return None
    ratings = Rating.objects.filter(category=category).select_related("image_model")
    models = {rating.image_model.export_name: rating.image_model for rating in ratings}
    current = {rating.image_model.export_name: _current(rating) for rating in ratings}
    moved = moves(marks(snapshot), current)
    clear = [(move, models.get(move.model)) for move in moved if move.is_clear]
    return Moved(snapshot.taken_at, snapshot.pk, clear, len(moved) - len(clear))


def _current(rating: Rating) -> Mark:
    plain_se = rating.se / rating.design_effect if rating.design_effect else math.nan
    return Mark(rating.elo, rating.se, rating.place, plain_se)


def marks(snapshot: Snapshot) -> dict[str, Mark]:
    """Where each model stood in a snapshot, by the model's name."""
    return {row["model"]: _mark(row, place) for row, place in snapshots.places(snapshot)}


def _mark(row: dict[str, Any], place: Place) -> Mark:
    """A snapshot keeps numbers as text, "inf" among them; its interval is 1.96 standard errors to either side."""
    elo, upper = float(row["elo"]), float(row["upper"])
    return Mark(elo, (upper - elo) / Z95, place, float(row.get("sandwich_se", "nan")))


def of_prices(since: datetime | None = None) -> list[PriceChange]:
    """Prices that changed since then, this week by default, newest first; an offering's first price is no change."""
    since = since or timezone.now() - WEEK
    earlier = Price.objects.filter(offering=OuterRef("offering"), recorded_at__lt=OuterRef("recorded_at"))
    fresh = list(
        Price.objects.filter(Exists(earlier), recorded_at__gte=since)
        .select_related("offering__image_model")
        .order_by("-recorded_at", "-pk")[:50]
    )
    history: dict[int, list[Price]] = {}
    for price in Price.objects.filter(offering__in=[new_price.offering_id for new_price in fresh]).order_by(
        "recorded_at", "pk"
    ):
        history.setdefault(price.offering_id, []).append(price)
    changes = []
    for price in fresh:
        older = [
            older_price for older_price in history[price.offering_id] if older_price.recorded_at < price.recorded_at
        ]
        if older and older[-1].price_unit == price.price_unit:
            changes.append(PriceChange(price, older[-1]))
    return changes


def of_models(since: datetime | None = None) -> list[ImageModel]:
    """Models released or retired since then, this week by default."""
    since = since or timezone.now() - WEEK
    recent = Q(released_on__gte=since.date()) | Q(retired_at__gte=since)
    return list(ImageModel.objects.filter(recent).select_related("lab").order_by("name")[:50])


def _of_competitions(category: Category) -> list[Competition]:
    """Those of the category that opened or closed this week."""
    since, now = timezone.now() - WEEK, timezone.now()
    opened = Q(opens_at__range=(since, now)) | Q(opens_at=None, created_at__gte=since)
    recent = opened | Q(closes_at__range=(since, now))
    return list(Competition.objects.published().filter(recent, category=category)[:50])
