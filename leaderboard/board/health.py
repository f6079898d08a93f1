"""Whether the boards say what the votes say: for the health pages and monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from arena.models import Category, Tally
from leaderboard.board import summaries
from leaderboard.models import Board, RecordCount, Snapshot

RATING_TIMEOUT = summaries.RATING_TIMEOUT


@dataclass(frozen=True, slots=True)
class Health:
    """How a category's board is. `trouble` is a sentence, empty when there is none."""

    category: Category
    board: Board | None
    voted_at: datetime | None  # when its tallies last moved
    records_at: datetime | None  # when the records of its images were last counted
    snapshot_at: datetime | None
    trouble: str


def failures() -> list[str]:
    """One sentence per board that could not be computed or whose pair counts do not add up. One small query.

    A board that stands still is no reason to turn readers away, so `readyz` reports it and stays 200.
    """
    boards = Board.objects.select_related("category").exclude(error="", tallies_wrong=0)
    return [f"{board.category.slug}: {_failure(board)}" for board in boards.order_by("category__slug")]


def report() -> list[Health]:
    """Every category, those that nobody has voted in too."""
    voted = dict(Tally.objects.values_list("category").annotate(at=Max("changed_at")))
    counted = dict(RecordCount.objects.values_list("category", "counted_at"))
    taken = dict(Snapshot.objects.values_list("category").annotate(at=Max("taken_at")))
    return [
        Health(
            category,
            board,
            voted.get(category.pk),
            counted.get(category.pk),
            taken.get(category.pk),
            _trouble(board, voted.get(category.pk)),
        )
        for category in Category.objects.select_related("board")
        for board in [getattr(category, "board", None)]
    ]


def _trouble(board: Board | None, voted_at: datetime | None) -> str:
    if board is not None and (failure := _failure(board)):
        return failure
    seen = board.tallies_changed_at if board is not None else None
    if voted_at is not None and seen != voted_at and timezone.now() - voted_at > RATING_TIMEOUT:
        return gettext("votes wait to be rated: no worker has computed the board since")
    return ""


def _failure(board: Board) -> str:
    """Without the error's own words, which may hold more than strangers should read; they are in log and admin. In the
    active language."""
    if board.error:
        kind = board.error.partition(":")[0]
        text = gettext("the last recompute failed at %(time)s UTC (%(kind)s); the board before it stands")
        return text % {"time": f"{board.failed_at:%Y-%m-%d %H:%M}", "kind": kind}
    if board.tallies_wrong:
        text = gettext("the recount of %(time)s UTC found %(n)s wrong pair counts")
        return text % {"time": f"{board.recounted_at:%Y-%m-%d %H:%M}", "n": board.tallies_wrong}
    return ""
