"""Recomputing a category's ratings from its tallies: never per vote, one at a time, only when something moved.

Two paths. The quick one follows the votes within seconds: fit and sandwich from pair counts, K² numbers however many
votes there are, times each model's last design effect. The clustered one looks at the raw votes, at most once a minute
while votes come in, and makes the one covariance behind every claim: voters and prompts as clusters (`intervals`).
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from arena import matchmaking, pairing
from arena.matchmaking import vote_worth
from arena.models import Category
from leaderboard.board import head_to_head, pair_counts, raw_votes
from leaderboard.board.computed import Computed, rate
from leaderboard.models import Board, Covariance, Rating, RecentBoard, RecentRating
from leaderboard.rating import elo, intervals, ways

log = logging.getLogger(__name__)

_LOCK_CLASS = 0x456C6F  # "Elo": the first key of the advisory lock; the second is the category
CLUSTER_EVERY = timedelta(minutes=1)
RECENT_DAYS = 90  # today and the 89 days before it, in UTC


def recompute_moved() -> list[Category]:
    """Recompute every category whose tallies moved since its board was made; returns those that were."""
    return [category for category in Category.everything.all() if recompute(category)]


def recompute(category: Category, *, force: bool = False) -> bool:
    """Bring the category's boards up to date. False when they already are, or when somebody else is at it.

    The lock goes with the transaction, so one whose holder dies is free at once. A failure leaves the last good boards
    standing, with reason and time beside them, and is tried again on the next tick.
    """
    try:
        with transaction.atomic():
            return _locked(category) and _recompute(category, force=force)
    except Exception as error:
        log.exception("recompute %s", category.slug)
        failure = {"error": f"{type(error).__name__}: {error}", "failed_at": timezone.now()}
        Board.everything.update_or_create(category=category, defaults=failure)
        return False


def _locked(category: Category) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, category.pk])
        return bool(cursor.fetchone()[0])


def _recompute(category: Category, *, force: bool) -> bool:
    now = timezone.now()
    board, _ = Board.everything.get_or_create(category=category)
    computed = _refresh(board, now, None, force=force or bool(board.error))
    if computed is not None:
        _store_covariance(category, computed)
        _store_table(category, computed)
    recent = _refresh_recent(category, now, computed, force=force)
    return computed is not None or recent


def _refresh(
    board: Board | RecentBoard, now: datetime, since: date | None, *, force: bool, same_as: Computed | None = None
) -> Computed | None:
    """Bring one board and its ratings up to date; None when they are. `same_as` may be from the same votes."""
    category = board.category
    moved = pair_counts.state(category, since)
    same = (board.votes, board.tallies_changed_at) == (moved.votes, moved.changed_at) and _first_day(board) == since
    clustered = force or board.method_version != elo.METHOD_VERSION or _is_due(board, moved, now)
    if same and not clustered:
        return None
    if same_as is not None and same_as.state == moved and same_as.clustered >= clustered:
        computed = same_as
    else:
        computed = compute(category, clustered=clustered, since=since)
    _store_ratings(category, computed, Rating if since is None else RecentRating)
    head_to_head.store(category, "all" if since is None else "90d", computed.counts)
    _store_board(board, computed, since, clustered_at=now if clustered else None)
    return computed


def _refresh_recent(category: Category, now: datetime, computed: Computed | None, *, force: bool) -> bool:
    """The same for the last 90 days, where it is known when votes were cast."""
    if category.vote_files.filter(is_dated=False).exists():
        RecentRating.everything.filter(category=category).delete()
        RecentBoard.everything.filter(category=category).delete()
        category.head_to_head.filter(window="90d").delete()
        return False
    since = (now - timedelta(days=RECENT_DAYS - 1)).astimezone(UTC).date()
    board = RecentBoard.everything.filter(category=category).first() or RecentBoard(category=category)
    return _refresh(board, now, since, force=force, same_as=computed) is not None


def _first_day(board: Board | RecentBoard) -> date | None:
    return board.since if isinstance(board, RecentBoard) else None


def _is_due(board: Board | RecentBoard, moved: pair_counts.State, now: datetime) -> bool:
    """Whether the raw votes are to be looked at: they moved since the last time, which was a minute ago."""
    if board.clustered_at is None:
        return True
    return board.clustered_changed_at != moved.changed_at and now - board.clustered_at >= CLUSTER_EVERY


def compute(category: Category, *, clustered: bool = True, since: date | None = None) -> Computed:
    """The category's board as of now, of all votes or those since a day; nothing is stored.

    From its tallies and, if `clustered`, its raw votes.
    """
    state = pair_counts.state(category, since)
    table: Any = category.ratings if since is None else category.recent_ratings
    before = {str(rating.image_model_id): rating for rating in table.all()}

    def raw(models: list[int]) -> ways.RawVotes:
        return raw_votes.read(category, models, since=since)

    board = (
        Board.everything.filter(category=category)
        if since is None
        else RecentBoard.everything.filter(category=category)
    )
    counts = pair_counts.counts(category, since)
    computed = rate(category, state, counts, raw if clustered else None, before, board=board.first())
    return computed.on_scale_of(_anchor(category, computed, since))


def _anchor(category: Category, computed: Computed, since: date | None) -> list[int]:
    """Ids of the models whose mean stays 1000 in this category: the board's, or those to fix it with; [] for all.

    Fixed once, when `intervals.MIN_ANCHOR` models are settled for the first time, of all votes. Where every vote was
    imported it stays the mean of all: a study has its models from the start.
    """
    board: Board | None = Board.everything.filter(category=category).first()
    if board is not None and board.anchor:
        return board.anchor
    settled = [numbers["image_model_id"] for numbers in computed.numbers if numbers["status"] == "settled"]
    return sorted(settled) if since is None and computed.votes_here and len(settled) >= intervals.MIN_ANCHOR else []


def _store_ratings(category: Category, computed: Computed, table: type[Rating] | type[RecentRating]) -> None:
    """Replace the category's ratings; readers see the old board or the new one, never a mixture."""
    rows: Any = table.objects
    rows.filter(category=category).delete()
    rows.bulk_create([table(category=category, **numbers) for numbers in computed.numbers])


def _store_table(category: Category, computed: Computed) -> None:
    """What a vote on each pair is worth now, for the next draws."""
    strength = (computed.fit.elo - elo.MEAN) / elo.SCALE
    by_id = np.argsort([int(model) for model in computed.fit.models])
    provisional = np.array([numbers["status"] == "provisional" for numbers in computed.numbers], np.bool_)
    worth = vote_worth.scores(strength, computed.fit.covariance / elo.SCALE**2, provisional)
    pairing.store_pair_scores(
        category,
        matchmaking.Table(
            tuple(int(computed.fit.models[index]) for index in by_id),
            worth[np.ix_(by_id, by_id)].astype(np.float32),
            frozenset(int(computed.fit.models[index]) for index in np.flatnonzero(provisional)),
        ),
    )


def _store_covariance(category: Category, computed: Computed) -> None:
    entries = computed.fit.covariance[np.triu_indices(len(computed.fit.models))].astype("<f4").tobytes()
    Covariance.objects.update_or_create(
        category=category,
        defaults={"image_models": [int(model) for model in computed.fit.models], "entries": entries},
    )


def _confirmed(category: Category) -> list[int]:
    """Ids of the models that led in the category's last snapshot; nobody where there is none, or where none led."""
    facts = category.snapshots.order_by("-taken_at", "-pk").values_list("facts", flat=True).first() or {}
    finding = facts.get("finding", {})
    return list(finding.get("named", [])) if finding.get("kind") == "lead" else []


def _store_board(
    board: Board | RecentBoard, computed: Computed, since: date | None, clustered_at: datetime | None
) -> None:
    total = computed.counts.total
    board.votes, board.tallies_changed_at = computed.state.votes, computed.state.changed_at
    board.computed_at = timezone.now()
    if clustered_at is not None:
        board.clustered_at, board.clustered_changed_at = clustered_at, computed.state.changed_at
        board.votes_to_flip = intervals.votes_to_flip(computed.plain, computed.cells)
        board.votes_added_to_flip = intervals.votes_added_to_flip(computed.plain, computed.cells)
        board.voters, board.prompts = computed.spread.all_voters, computed.spread.all_prompts
        board.effective_voters = computed.spread.all_effective_voters
        board.effective_prompts = computed.spread.all_effective_prompts
    board.finding = computed.finding_json(None if since else _confirmed(board.category))
    statuses = {numbers["status"] for numbers in computed.numbers}
    board.votes_to_settle = 0 if statuses == {"settled"} else None
    board.method_version = elo.METHOD_VERSION
    board.tie_rate = computed.counts.tied / total if total else None
    board.side_effect = computed.side.elo if computed.side else None
    board.side_effect_se = computed.side.se if computed.side else None
    if isinstance(board, Board):
        board.anchor = list(computed.anchor)
        board.error, board.failed_at = "", None
    elif since is not None:
        board.since = since
    board.save()
