"""What is moved with every vote, compared with the votes and put right: image tallies and voters' progress.

A difference is a fault – or votes taken by an older release while a newer one ran beside it –, so it is logged.
"""

from __future__ import annotations

import logging

from django.db import connection, transaction

from arena import integrity
from arena.battles import voter_state
from arena.models import ImageTally

log = logging.getLogger(__name__)

_RECOUNT_IMAGES = """
SELECT count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id = %(low)s THEN 'left' ELSE 'right' END),
    count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id = %(low)s THEN 'right' ELSE 'left' END),
    count(*) FILTER (WHERE v.outcome = 'tie'), count(*) FILTER (WHERE v.outcome = 'both_bad')
FROM arena_battle b JOIN arena_vote v ON v.battle_id = b.id AND v.excluded_reason = ''
WHERE (b.left_id = %(low)s AND b.right_id = %(high)s) OR (b.left_id = %(high)s AND b.right_id = %(low)s)
"""


def check() -> int:
    """Recount everything; returns how many rows were wrong, which are right by then."""
    images, progress = integrity.image_differences(), integrity.progress_differences()
    for low, high in images:
        rebuild_images(low, high)
    for voter, category in progress:
        voter_state.rebuild_progress(voter, category)
    if images or progress:
        log.error("Recounted: %d image tallies and %d voters' progress were wrong.", len(images), len(progress))
    return len(images) + len(progress)


def rebuild_images(low: int, high: int) -> ImageTally:
    """Count the votes on two images, the smaller id first, again."""
    with transaction.atomic():
        empty = ImageTally(low_id=low, high_id=high, low_wins=0, high_wins=0, ties=0, both_bad=0)
        ImageTally.objects.bulk_create([empty], ignore_conflicts=True)
        # Locked before the votes are read: a vote in flight waits for us, and then counts itself.
        row = ImageTally.objects.select_for_update().get(low=low, high=high)
        with connection.cursor() as cursor:
            cursor.execute(_RECOUNT_IMAGES, {"low": low, "high": high})
            row.low_wins, row.high_wins, row.ties, row.both_bad = cursor.fetchone()
        row.save(update_fields=["low_wins", "high_wins", "ties", "both_bad"])
        return row
