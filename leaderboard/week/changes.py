"""What changed in the last week: boards against their snapshots, prices against their history, what is new."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from arena.models import Category, Competition
from leaderboard.board import snapshots
from leaderboard.models import Rating, Snapshot
from leaderboard.rating.elo import Z95
from leaderboard.rating.place import Place
from leaderboard.week.movements import Mark, Move, moves
from providers.models import ImageModel, Price

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Moved:
    """A category's moves since one of its snapshots: a week old, or its first where it is younger than a week."""

    category: Category
    since: datetime
    snapshot: int
    moves: list[tuple[Move, ImageModel | None]]


@dataclass(frozen=True, slots=True)
class PriceChange:
    """An offering's new price beside the one before; both for the same unit."""

    now: Price
    before: Price


def of_boards() -> list[Moved]:
    """Three queries, however many categories."""
    now = timezone.now()
    old = Snapshot.objects.defer("cells", "facts").select_related("category").distinct("category_id")
    oldest = {earlier.category_id: earlier for earlier in old.order_by("category_id", "taken_at", "pk")}
    week = old.filter(taken_at__lte=now - WEEK).order_by("category_id", "-taken_at", "-pk")
    oldest |= {earlier.category_id: earlier for earlier in week}
    models: dict[str, ImageModel] = {}
    current: dict[int, dict[str, Mark]] = {}
    for rating in Rating.objects.filter(category__in=oldest).select_related("image_model"):
        name = rating.image_model.export_name
        models[name] = rating.image_model
        plain_se = rating.se / rating.design_effect if rating.design_effect else math.nan
        mark = Mark(rating.rank or 0, rating.elo, rating.se, rating.place, plain_se)
        current.setdefault(rating.category_id, {})[name] = mark
    boards = []
    for pk, snapshot in oldest.items():
        moved = [(move, models.get(move.model)) for move in moves(marks(snapshot), current.get(pk, {}))]
        boards.append(Moved(snapshot.category, snapshot.taken_at, snapshot.pk, moved))
    return sorted(boards, key=lambda board: (not board.moves, board.category.position, board.category.name))


def marks(snapshot: Snapshot) -> dict[str, Mark]:
    """Where each model stood in a snapshot, by the model's name."""
    return {row["model"]: _mark(row, place) for row, place in snapshots.places(snapshot)}


def _mark(row: dict[str, Any], place: Place) -> Mark:
    """A snapshot keeps numbers as text, "inf" among them; its interval is 1.96 standard errors to either side."""
    elo, upper = float(row["elo"]), float(row["upper"])
    return Mark(row["rank"] or 0, elo, (upper - elo) / Z95, place, float(row.get("sandwich_se", "nan")))


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


def of_competitions() -> list[Competition]:
    """Competitions that opened or closed this week."""
    since, now = timezone.now() - WEEK, timezone.now()
    opened = Q(opens_at__range=(since, now)) | Q(opens_at=None, created_at__gte=since)
    recent = opened | Q(closes_at__range=(since, now))
    return list(Competition.objects.published().filter(recent).select_related("category")[:50])
