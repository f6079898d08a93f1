"""Recomputing a category's ratings from its tallies: never per vote, one at a time, only when something moved.

Two paths. The quick one follows the votes within seconds: fit and sandwich from pair counts, K² numbers however many
votes there are, times each model's last design effect. The clustered one looks at the raw votes, at most once a minute
while votes come in, and makes the one covariance behind every claim: voters and prompts as clusters (`intervals`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from arena import matchmaking, pairing, vote_worth
from arena.models import Category, Vote
from leaderboard.board import head_to_head, pair_counts, raw_votes
from leaderboard.models import Board, Covariance, Rating, RatingNumbers, RecentBoard, RecentRating
from leaderboard.rating import elo, intervals, ranks, verdict, ways

log = logging.getLogger(__name__)

_LOCK_CLASS = 0x456C6F  # "Elo": the first key of the advisory lock; the second is the category
CLUSTER_EVERY = timedelta(minutes=1)
RECENT_DAYS = 90  # today and the 89 days before it, in UTC


@dataclass(frozen=True, eq=False)
class Computed:
    """A board before it is stored. Models are named by their ids."""

    state: pair_counts.State
    counts: pair_counts.Counts
    cells: elo.Cells
    plain: elo.Fit  # as if votes were independent
    fit: elo.Fit  # with what their voters share
    spread: intervals.Spread
    votes_here: bool
    side: elo.SideEffect | None  # None where it says nothing: sides of imported votes were not randomised
    clustered: bool  # the raw votes were looked at
    anchor: tuple[int, ...] = ()  # ids of the models whose mean is 1000; none: of all

    def on_scale_of(self, anchor: Sequence[int]) -> Computed:
        """The same board on the scale on which the mean of these models, by id, is 1000; none: that of all models."""
        names = [str(model) for model in anchor]
        plain, fit = elo.anchored(self.plain, names), elo.anchored(self.fit, names)
        return replace(self, plain=plain, fit=fit, anchor=tuple(anchor))

    @cached_property
    def inference(self) -> ranks.RankInference:
        return ranks.rank_inference(self.fit.elo, self.fit.covariance)

    @cached_property
    def needed(self) -> list[int | None]:
        """See `intervals.votes_to_next`."""
        return intervals.votes_to_next(self.fit, self.plain)

    def finding(self, confirmed: Sequence[int] | None) -> verdict.Finding:
        """Which sentence about this board holds; `confirmed` are the ids of the models that led in the last snapshot,
        None where a sentence need not hold twice."""
        index = {int(model): index for index, model in enumerate(self.fit.models)}
        return verdict.find(
            self.fit.elo,
            self.fit.covariance,
            voters=self.spread.all_effective_voters,
            prompts=self.spread.all_effective_prompts,
            inference=self.inference,
            confirmed=None if confirmed is None else [index[model] for model in confirmed if model in index],
        )

    @cached_property
    def numbers(self) -> list[dict[str, Any]]:
        """Every model's numbers, in the order of the fit, by the names of the fields of `RatingNumbers`."""
        return _numbers(self)


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


def rate(
    category: Category,
    state: pair_counts.State,
    counts: pair_counts.Counts,
    raw: Callable[[list[int]], ways.RawVotes] | None,
    before: Mapping[str, RatingNumbers],
    *,
    board: Board | RecentBoard | None = None,
    is_slice: bool = False,
) -> Computed:
    """A board from these counts. `raw` reads their single votes; without it, what `before` and `board` knew of them
    stays.

    A slice is of votes cast here, and too small to say something of sides.
    """
    cells = counts.cells()
    start = {model: rating.elo for model, rating in before.items()}
    plain = intervals.careful(elo.fit(cells, start=start), cells)
    if raw is not None:
        fit, spread = intervals.spread(plain, raw([int(model) for model in plain.models]))
        fit = intervals.careful(fit, cells)
    else:
        spread = _last_spread(plain, before, board)
        fit = intervals.inflated(plain, spread.design)
    here = is_slice or Vote.objects.counted().filter(category=category).exists()
    by_lot = here and not is_slice and not category.vote_files.exists()
    side = elo.side_effect(cells) if by_lot else None
    return Computed(state, counts, cells, plain, fit, spread, here, side, raw is not None)


def _last_spread(
    fit: elo.Fit, before: Mapping[str, RatingNumbers], board: Board | RecentBoard | None
) -> intervals.Spread:
    spread = intervals.Spread.none(len(fit.models))
    spread.from_votes[:] = elo.Z95 * fit.se
    for index, model in enumerate(fit.models):
        if (rating := before.get(model)) is not None:
            spread.design[index] = rating.design_effect
            spread.voters[index] = rating.voters
            if rating.half_width_from_votes is not None:
                spread.from_votes[index] = rating.half_width_from_votes
            spread.from_prompts[index] = _nan(rating.half_width_from_prompts)
            spread.effective_voters[index] = _nan(rating.effective_voters)
            spread.effective_prompts[index] = _nan(rating.effective_prompts)
    if board is None:
        return spread
    return replace(spread, all_effective_voters=board.effective_voters, all_effective_prompts=board.effective_prompts)


def _nan(number: float | None) -> float:
    return np.nan if number is None else number


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


def rows(category: Category, computed: Computed) -> list[Rating]:
    """The ratings of the board, unsaved, in the order of the fit."""
    return [Rating(category=category, **numbers) for numbers in computed.numbers]


def _numbers(computed: Computed) -> list[dict[str, Any]]:
    """Voters are a condition only where votes were cast here: a published study's three experts are its design, and a
    file without voters is not held to a number nobody knows. The board shows how many there were.
    """
    fit, spread = computed.fit, computed.spread
    count = intervals.appearances(computed.cells)
    both_bad = computed.counts.both_bad()
    inference = computed.inference
    independent = elo.Z95 * spread.pooled_design * computed.plain.se
    tier = ranks.tiers(fit.elo, inference.above)
    with_interval = int(np.isfinite(fit.se).sum())
    return [
        {
            "image_model_id": int(model),
            "elo": float(fit.elo[index]),
            "lower": float(fit.lower[index]),
            "upper": float(fit.upper[index]),
            "se": float(fit.se[index]),
            "design_effect": float(spread.design[index]),
            "half_width_from_votes": _number(spread.from_votes[index]),
            "half_width_from_prompts": _number(spread.from_prompts[index]),
            "effective_voters": _number(spread.effective_voters[index]),
            "effective_prompts": _number(spread.effective_prompts[index]),
            **_ranks(inference.low[index], inference.high[index], tier[index], fit.se[index]),
            "placed": with_interval,
            "best": float(inference.best[index]),
            "votes": int(count[index]),
            "both_bad": both_bad[int(model)],
            "voters": int(spread.voters[index]),
            "votes_to_next": computed.needed[index],
            "status": intervals.status(
                int(count[index]),
                float(independent[index]),
                bool(fit.connected[index]),
                int(spread.voters[index]) if computed.votes_here else None,
                float(spread.effective_voters[index]),
                float(spread.effective_prompts[index]),
            ),
        }
        for index, model in enumerate(fit.models)
    ]


def _ranks(low: int, high: int, tier: int, se: float) -> dict[str, int | None]:
    """None of them for a model without an interval: it could be anywhere."""
    known = np.isfinite(se)
    values = {"rank": low, "rank_low": low, "rank_high": high, "tier": tier}
    return {name: int(value) if known else None for name, value in values.items()}


def finding_json(computed: Computed, confirmed: Sequence[int] | None) -> dict[str, Any]:
    """The board's finding as it is stored: models by their ids."""
    finding = computed.finding(confirmed)
    named = [int(computed.fit.models[index]) for index in finding.named]
    return {
        "kind": finding.kind,
        "named": named,
        "within": finding.within,
        "lacking": finding.lacking,
        "more_votes": _between_first_two(computed),
        "apart": [[int(model) for model in group] for group in elo.groups_apart(computed.cells)],
    }


def _between_first_two(computed: Computed) -> int | None:
    """Votes between the board's first two models that separate them with 80 % probability; None: unforeseeable."""
    placed = np.flatnonzero(np.isfinite(computed.fit.se))
    return computed.needed[placed[np.argmax(computed.fit.elo[placed])]] if placed.size > 1 else None


def _confirmed(category: Category) -> list[int]:
    """Ids of the models that led in the category's last snapshot; nobody where there is none, or where none led."""
    facts = category.snapshots.order_by("-taken_at", "-pk").values_list("facts", flat=True).first() or {}
    finding = facts.get("finding", {})
    return list(finding.get("named", [])) if finding.get("kind") == "lead" else []


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


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
    board.finding = finding_json(computed, None if since else _confirmed(board.category))
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
