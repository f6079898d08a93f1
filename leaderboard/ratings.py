"""Recomputing a category's ratings from its tallies: never per vote, one at a time, only when something moved."""

from __future__ import annotations

import logging

from django.db import connection, transaction
from django.utils import timezone

from arena.models import Category

from . import elo, ranks, tallies
from .models import Board, Rating

log = logging.getLogger(__name__)

_LOCK_CLASS = 0x456C6F  # "Elo": the first key of the advisory lock; the second is the category

USABLE_VOTES, USABLE_HALF_WIDTH = 300, 30.0  # below either, a rating is provisional
SETTLED_HALF_WIDTH = 12.0


def recompute_moved() -> list[Category]:
    """Recompute every category whose tallies moved since its board was made; returns those that were."""
    return [category for category in Category.objects.all() if recompute(category)]


def recompute(category: Category, *, force: bool = False) -> bool:
    """Bring the category's board up to date. False when it already is, or when somebody else is at it.

    The lock goes with the transaction, so one whose holder dies is free at once. A failure leaves the last good board
    standing, with the reason beside it, and is tried again on the next tick.
    """
    try:
        with transaction.atomic():
            return _locked(category) and _recompute(category, force=force)
    except Exception as error:
        log.exception("recompute %s", category.slug)
        Board.objects.update_or_create(category=category, defaults={"error": f"{type(error).__name__}: {error}"})
        return False


def _locked(category: Category) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, category.pk])
        return bool(cursor.fetchone()[0])


def _recompute(category: Category, *, force: bool) -> bool:
    moved = tallies.state(category)
    board, _ = Board.objects.get_or_create(category=category)
    if not force and not board.error and (board.votes, board.tallies_changed_at) == (moved.votes, moved.changed_at):
        return False
    rows = tallies.cells(category)
    cells = elo.Cells.from_rows((str(left), str(right), outcome, n) for left, right, outcome, n in rows)
    start = {str(pk): value for pk, value in category.ratings.values_list("image_model", "elo")}
    fitted = elo.fit(cells, start=start)
    _store(category, fitted, rows)
    side = elo.side_effect(cells) if rows else None
    board.votes, board.tallies_changed_at = moved.votes, moved.changed_at
    board.computed_at = timezone.now()
    board.method_version = elo.METHOD_VERSION
    board.tie_rate = sum(n for *_, outcome, n in rows if outcome in ("tie", "both_bad")) / moved.votes if rows else None
    board.side_effect = side.elo if side else None
    board.side_effect_se = side.se if side else None
    board.error = ""
    board.save()
    return True


def _store(category: Category, fitted: elo.Fit, rows: list[tallies.Cell]) -> None:
    """Replace the category's ratings; readers see the old board or the new one, never a mixture."""
    votes = dict.fromkeys(fitted.models, 0)
    both_bad = dict.fromkeys(fitted.models, 0)
    for left, right, outcome, n in rows:
        for model in (str(left), str(right)):
            votes[model] += n
            both_bad[model] += n if outcome == "both_bad" else 0
    placed = ranks.ranks(fitted.lower, fitted.upper)
    fresh = [
        Rating(
            category=category,
            image_model_id=int(model),
            elo=float(fitted.elo[index]),
            lower=float(fitted.lower[index]),
            upper=float(fitted.upper[index]),
            rank=int(placed[index]),
            votes=votes[model],
            both_bad=both_bad[model],
            status=_status(votes[model], float(fitted.upper[index] - fitted.elo[index]), bool(fitted.connected[index])),
        )
        for index, model in enumerate(fitted.models)
    ]
    category.ratings.all().delete()
    Rating.objects.bulk_create(fresh)


def _status(votes: int, half_width: float, connected: bool) -> str:
    """How far a rating can be believed: by its votes and by the half-width of its interval in Elo."""
    if not connected or votes < USABLE_VOTES or half_width > USABLE_HALF_WIDTH:
        return "provisional"
    return "settled" if half_width <= SETTLED_HALF_WIDTH else "usable"
