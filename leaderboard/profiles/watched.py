"""What is watched of a model: change behind its name, its providers compared, the variants of its lab. All in
the query that finds the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import JSONField, QuerySet
from django.db.models.expressions import RawSQL

from arena.models import Category
from leaderboard.board import parity
from leaderboard.board.parity import ProviderParity
from leaderboard.models import Drift
from providers.models import ImageModel

# A column of the query that finds the model: JSON of moves, votes between its own images, and days of its lab's models.
_COLUMN = f"""jsonb_build_array(
    (SELECT jsonb_agg(jsonb_build_array(c.name, d.made_since, d.move, d.half_width, d.is_alarm)
                      ORDER BY c.position, c.name)
     FROM leaderboard_drift d JOIN arena_category c ON c.id = d.category_id
     WHERE d.image_model_id = providers_imagemodel.id),
    (SELECT jsonb_agg(jsonb_build_array(one, other, outcome, voter, prompt)) FROM ({parity.VOTES}) vote),
    (SELECT jsonb_agg(jsonb_build_array(r.category_id, r.image_model_id, r.last_day))
     FROM leaderboard_registeredmodel r JOIN providers_imagemodel m ON m.id = r.image_model_id
     WHERE m.lab_id = providers_imagemodel.lab_id)
)"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Watched:
    """variants: the last day of every model of its lab that was ever voted on in the category, by id."""

    drifts: Sequence[Drift]
    parities: Sequence[ProviderParity]
    variants: dict[int, date]


def with_watched(image_models: QuerySet[ImageModel]) -> QuerySet[ImageModel]:
    """Models that carry what `of_model` takes apart."""
    return image_models.annotate(watched=RawSQL(_COLUMN, [], output_field=JSONField()))  # noqa: S611 - no parameters


def of_model(image_model: ImageModel, category: Category | None) -> Watched:
    """`category` is that of the board whose charts the page shows."""
    if not hasattr(image_model, "watched"):
        image_model = with_watched(ImageModel.objects.all()).get(pk=image_model.pk)
    drifts, votes, days = image_model.watched  # type: ignore[attr-defined]  # annotated
    return Watched(
        [
            Drift(
                category=Category(name=name),
                made_since=datetime.fromisoformat(since),
                move=move,
                half_width=half_width,
                is_alarm=is_alarm,
            )
            for name, since, move, half_width, is_alarm in drifts or ()
        ],
        parity.compared(votes or ()),
        {model: date.fromisoformat(day) for of, model, day in days or () if category and of == category.pk},
    )
