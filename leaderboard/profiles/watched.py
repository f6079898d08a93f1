"""What is watched of a model: change behind its name, its providers compared, the variants of its lab. One query."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from arena.models import Category
from leaderboard.board import parity
from leaderboard.board.parity import ProviderParity
from leaderboard.models import Drift
from providers.models import ImageModel

_QUERY = f"""
SELECT
    (SELECT jsonb_agg(jsonb_build_array(c.name, d.made_since, d.move, d.half_width, d.is_alarm)
                      ORDER BY c.position, c.name)
     FROM leaderboard_drift d JOIN arena_category c ON c.id = d.category_id WHERE d.image_model_id = %(model)s),
    (SELECT jsonb_agg(jsonb_build_array(one, other, outcome, voter, prompt)) FROM ({parity.VOTES}) vote),
    (SELECT jsonb_object_agg(r.image_model_id, r.last_day)
     FROM leaderboard_registeredmodel r JOIN providers_imagemodel m ON m.id = r.image_model_id
     WHERE r.category_id = %(category)s AND m.lab_id = %(lab)s)
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Watched:
    """variants: the last day of every model of its lab that was ever voted on in the category, by id."""

    drifts: Sequence[Drift]
    parities: Sequence[ProviderParity]
    variants: dict[int, date]


def of_model(image_model: ImageModel, category: Category | None) -> Watched:
    """`category` is that of the board whose charts the page shows."""
    with connection.cursor() as cursor:
        values = {"model": image_model.pk, "lab": image_model.lab_id, "category": category and category.pk}
        cursor.execute(_QUERY, values)
        drifts, votes, variants = (_parsed(value) for value in cursor.fetchone())
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
        {int(model): date.fromisoformat(day) for model, day in (variants or {}).items()},
    )


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
