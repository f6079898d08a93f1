"""Recomputing a category's ratings from its tallies: never per vote, one at a time, only when something moved.

Two paths. The quick one follows the votes within seconds: fit and sandwich from pair counts, K² numbers however many
votes there are, times each model's last design effect. The clustered one looks at the raw votes, at most once a minute
while votes come in, and finds the design effects: voters as clusters, prompts as clusters, who judged what.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from arena import battles, matchmaking
from arena.models import Category, Vote

from . import boards, elo, ranks, tallies, votes
from .models import Board, Rating

log = logging.getLogger(__name__)

_LOCK_CLASS = 0x456C6F  # "Elo": the first key of the advisory lock; the second is the category
CLUSTER_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, eq=False)
class Computed:
    """A board before it is stored. Models are named by their ids."""

    state: tallies.State
    rows: list[tallies.Cell]
    cells: elo.Cells
    plain: elo.Fit  # as if votes were independent
    fit: elo.Fit  # with what their voters share
    spread: boards.Spread
    votes_here: bool
    side: elo.SideEffect | None  # None where it says nothing: sides of imported votes were not drawn by lot


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
    now = timezone.now()
    clustered = force or _is_due(board, moved, now)
    same = (board.votes, board.tallies_changed_at) == (moved.votes, moved.changed_at)
    if same and not clustered and not board.error:
        return False
    computed = compute(category, clustered=clustered)
    _store_ratings(category, computed)
    _store_board(board, computed, clustered_at=now if clustered else None)
    return True


def _is_due(board: Board, moved: tallies.State, now: datetime) -> bool:
    """Whether the raw votes are to be looked at: they moved since the last time, which was a minute ago."""
    if board.clustered_at is None:
        return True
    return board.clustered_changed_at != moved.changed_at and now - board.clustered_at >= CLUSTER_EVERY


def compute(category: Category, *, clustered: bool = True) -> Computed:
    """The category's board as of now, from its tallies and, if `clustered`, its raw votes; nothing is stored."""
    state = tallies.state(category)
    rows = tallies.cells(category)
    cells = elo.Cells.from_rows((str(left), str(right), outcome, n) for left, right, outcome, n in rows)
    before = {str(rating.image_model_id): rating for rating in category.ratings.all()}
    start = {model: rating.elo for model, rating in before.items()}
    plain = boards.careful(elo.fit(cells, start=start), cells)
    if clustered:
        fit, spread = boards.spread(plain, votes.read(category, [int(model) for model in plain.models]))
    else:
        spread = _last_spread(plain, before)
        fit = boards.inflated(plain, spread.design)
    here = Vote.objects.counted().filter(category=category).exists()
    by_lot = here and not category.vote_files.exists()
    return Computed(state, rows, cells, plain, fit, spread, here, elo.side_effect(cells) if by_lot else None)


def _last_spread(fit: elo.Fit, before: dict[str, Rating]) -> boards.Spread:
    spread = boards.Spread.none(len(fit.models))
    for index, model in enumerate(fit.models):
        if (rating := before.get(model)) is not None:
            spread.design[index] = rating.design_effect
            spread.voters[index] = rating.voters
            if rating.half_width_from_prompts is not None:
                spread.from_prompts[index] = rating.half_width_from_prompts
    return spread


def _store_ratings(category: Category, computed: Computed) -> None:
    """Replace the category's ratings; readers see the old board or the new one, never a mixture."""
    fresh = rows(category, computed)
    category.ratings.all().delete()
    Rating.objects.bulk_create(fresh)
    strength = (computed.fit.elo - elo.MEAN) / elo.SCALE
    by_id = np.argsort([int(model) for model in computed.fit.models])
    provisional = np.array([rating.status == "provisional" for rating in fresh], np.bool_)
    worth = matchmaking.scores(strength, computed.fit.covariance / elo.SCALE**2, provisional)
    battles.store_table(
        category,
        matchmaking.Table(
            tuple(int(computed.fit.models[index]) for index in by_id), worth[np.ix_(by_id, by_id)].astype(np.float32)
        ),
    )


def rows(category: Category, computed: Computed) -> list[Rating]:
    """The ratings of the board, unsaved, in the order of the fit.

    Voters are a condition only where votes were cast here: a published study's three experts are its design, and a file
    that does not tell its voters is not held to a number nobody knows. The board shows how many there were.
    """
    fit, spread = computed.fit, computed.spread
    count = boards.appearances(computed.cells)
    both_bad = dict.fromkeys(fit.models, 0)
    for left, right, outcome, n in computed.rows:
        if outcome == "both_bad":
            both_bad[str(left)] += n
            both_bad[str(right)] += n
    placed, tier = ranks.ranks(fit.lower, fit.upper), ranks.tiers(fit.elo, fit.lower, fit.upper)
    inference = ranks.rank_inference(fit.elo, fit.covariance)
    needed = boards.votes_to_next(fit)
    return [
        Rating(
            category=category,
            image_model_id=int(model),
            elo=float(fit.elo[index]),
            lower=float(fit.lower[index]),
            upper=float(fit.upper[index]),
            se=float(fit.se[index]),
            design_effect=float(spread.design[index]),
            half_width_from_prompts=_number(spread.from_prompts[index]),
            rank=int(placed[index]),
            rank_low=int(inference.low[index]),
            rank_high=int(inference.high[index]),
            best=float(inference.best[index]),
            tier=int(tier[index]),
            votes=int(count[index]),
            both_bad=both_bad[model],
            voters=int(spread.voters[index]),
            votes_to_next=needed[index],
            status=boards.status(
                int(count[index]),
                float(fit.upper[index] - fit.elo[index]),
                bool(fit.connected[index]),
                int(spread.voters[index]) if computed.votes_here else None,
            ),
        )
        for index, model in enumerate(fit.models)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _store_board(board: Board, computed: Computed, clustered_at: datetime | None) -> None:
    total = sum(n for *_, n in computed.rows)
    board.votes, board.tallies_changed_at = computed.state.votes, computed.state.changed_at
    board.computed_at = timezone.now()
    if clustered_at is not None:
        board.clustered_at, board.clustered_changed_at = clustered_at, computed.state.changed_at
        board.votes_to_flip = boards.votes_to_flip(computed.plain, computed.cells)
        board.voters, board.prompts = computed.spread.all_voters, computed.spread.all_prompts
    board.votes_to_settle = boards.votes_to_settle(computed.fit, boards.appearances(computed.cells))
    board.method_version = elo.METHOD_VERSION
    board.tie_rate = (
        sum(n for *_, outcome, n in computed.rows if outcome in ("tie", "both_bad")) / total if total else None
    )
    board.side_effect = computed.side.elo if computed.side else None
    board.side_effect_se = computed.side.se if computed.side else None
    board.error = ""
    board.save()
