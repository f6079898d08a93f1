"""What a lab's page shows: its models, where they stand, what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F

from arena.models import Category
from leaderboard import charts
from leaderboard.models import Rating
from leaderboard.profiles import offerings as sellers
from providers.models import ImageModel, Lab


@dataclass(frozen=True, slots=True)
class LabModel:
    """A model of the lab."""

    image_model: ImageModel
    ratings: Sequence[Rating]  # on boards with votes cast here first
    price: Decimal | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class LabBoard:
    """The lab's models on one board, with the intervals as a chart."""

    category: Category
    wide: charts.Forest | None
    narrow: charts.Forest | None


@dataclass(frozen=True, slots=True)
class Models:
    made: Sequence[LabModel]
    boards: Sequence[LabBoard]


def of_lab(lab: Lab) -> Models:
    """Three queries, however many models."""
    rows = (
        lab.image_models.filter(is_private=False)
        .prefetch_related("ratings__category", "offerings")
        .order_by(F("released_on").desc(nulls_last=True), "name")
    )
    made = [_made(model) for model in rows]
    by_category: dict[int, list[Rating]] = {}
    for lab_model in made:
        for rating in lab_model.ratings:
            rating.image_model = lab_model.image_model
            by_category.setdefault(rating.category_id, []).append(rating)
    boards = [_board(ratings) for ratings in by_category.values()]
    return Models(
        sorted(made, key=lambda lab_model: (lab_model.image_model.retired_at is not None, not lab_model.ratings)),
        sorted(
            boards,
            key=lambda board: (bool(board.category.source_name), board.category.position, board.category.name),
        ),
    )


def _made(image_model: ImageModel) -> LabModel:
    offerings = [offering for offering in image_model.offerings.all() if offering.is_active]
    prices = [
        (price, offering.price_estimated) for offering in offerings if (price := sellers.price_of(offering)) is not None
    ]
    price, estimated = min(prices, default=(None, False))
    ratings = sorted(
        image_model.ratings.all(),
        key=lambda rating: (bool(rating.category.source_name), rating.category.position),
    )
    return LabModel(image_model, ratings, price, estimated)


def _board(ratings: list[Rating]) -> LabBoard:
    rows = [
        charts.ForestRow(
            rating.image_model.name,
            rating.image_model.get_absolute_url(),
            rating.elo,
            rating.lower,
            rating.upper,
            provisional=rating.status == "provisional",
        )
        for rating in sorted(ratings, key=lambda rating: -rating.elo)
    ]
    return LabBoard(ratings[0].category, charts.forest(rows, charts.WIDE), charts.forest(rows, charts.NARROW))
