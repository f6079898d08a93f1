"""What snapshots say about a model, over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from arena.models import Category
from providers.models import ImageModel

# One query that leaves the cells where they are and unpacks the ratings in Postgres. Snapshots know models by the name
# that exports use; those taken since they know slugs say the slug, which outlives a change of name.
_HISTORY = """
SELECT s.id, s.taken_at, r.elo, r.lower, r.upper, s.method_version
FROM leaderboard_snapshot s
CROSS JOIN LATERAL jsonb_to_recordset(s.ratings)
    AS r(model text, slug text, elo float8, lower float8, upper float8)
WHERE s.category_id = %s AND coalesce(r.slug = %s, r.model = %s)
ORDER BY s.taken_at, s.id
"""


@dataclass(frozen=True, slots=True)
class EloPoint:
    """What one snapshot said about a model."""

    snapshot: int
    taken_at: datetime
    elo: float
    lower: float
    upper: float
    method_version: str


def history(image_model: ImageModel, category: Category) -> list[EloPoint]:
    """The model's ratings in the category's snapshots, oldest first; interval ends may be infinite."""
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, [category.pk, image_model.slug, image_model.csv_name])
        return [EloPoint(*row) for row in cursor.fetchall()]
