"""Boards of more than a category: all categories together. And what those of less, of prompts with a tag (`tagged`),
share with them: both are fitted by the same engine as the boards and stored nowhere.

They are cached as long as no vote comes in, and at least for `CACHE_TIME`, because every vote moves the tallies and a
reader who waits a minute for the last vote loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import prefetch_related_objects

from arena.models import Category
from leaderboard import cache
from leaderboard.board import pair_counts
from leaderboard.board.computed import Computed
from leaderboard.models import Rating
from leaderboard.rating import elo, intervals
from providers.cache import ProcessCache
from providers.models import ImageModel

CACHE_TIME = timedelta(minutes=1)
SHARE_OF_TIME = 0.02  # of a core: what the overall board may take, and the boards of tags together
LONGEST_REST = 600.0  # seconds the overall board rests at most
MIN_VOTES = 100  # below, a slice says that there are too few votes instead of showing numbers


@dataclass(frozen=True, slots=True)
class Rated:
    """A board that is not stored: unsaved ratings with their models, best first; none if the votes are too few."""

    votes: int
    ratings: tuple[Rating, ...]


@dataclass(frozen=True, slots=True)
class Pooled:
    """The overall board as it was last made, and how long it is good enough."""

    state: tuple[Any, ...]  # of the boards it was made from
    made_at: float  # seconds since the epoch
    rest: float  # seconds until it may be recomputed
    rated: Rated


def pooled() -> tuple[list[Category], Rated]:
    """All categories that are voted on here as one board, and which they are.

    One Bradley–Terry fit over their summed pair counts, each category weighing the same whatever its number of votes,
    so that the busiest one does not decide alone: a vote of category c weighs N / (C · n_c), with n_c its votes, N all
    votes and C the number of categories. A fit and not the mean of a model's ratings, because those count from the
    average of *their* board: a model that meets only weak ones would gain by it, and one that takes part in few
    categories could not be compared. It supposes that a model is about as good everywhere; where it is not, the board
    of the category is the better answer. Categories with fewer than `boards.USABLE_VOTES` votes are left out, for a
    few votes must not weigh as much as thousands, and so are boards with imported votes.

    The interval is the sandwich for weighted votes, times the largest design effect the model has in one of the
    categories; it errs on the wide side.
    """
    categories = _poolable()
    if len(categories) < 2:
        return categories, Rated(sum(category.board.votes for category in categories), ())
    cached: Pooled | None = cache.get("pooled")
    if cached and (cached.state == _state(categories) or time.time() - cached.made_at < 2 * cached.rest):
        return categories, cached.rated
    return categories, _keep_pooled(categories).rated


def refresh_pooled() -> bool:
    """For the periodic task: pool again when boards have moved, so that no reader waits for it. True when it was done.

    It reads every pair count there is, so it rests a while in proportion to what that took.
    """
    categories = _poolable()
    cached: Pooled | None = cache.get("pooled")
    if len(categories) < 2 or (
        cached and (cached.state == _state(categories) or time.time() - cached.made_at < cached.rest)
    ):
        return False
    _keep_pooled(categories)
    return True


def _poolable() -> list[Category]:
    rated = Category.objects.filter(vote_files=None, board__votes__gte=intervals.USABLE_VOTES)
    return list(rated.select_related("board"))


def _state(categories: Sequence[Category]) -> tuple[Any, ...]:
    return tuple((category.pk, category.board.votes, category.board.tallies_changed_at) for category in categories)


def _keep_pooled(categories: list[Category]) -> Pooled:
    state, made_at, began = _state(categories), time.time(), time.monotonic()
    rated = _remember(("pooled",), state, lambda: _pooled(categories))
    rest = min(LONGEST_REST, max(CACHE_TIME.total_seconds(), (time.monotonic() - began) / SHARE_OF_TIME))
    return cache.put(Pooled(state, made_at, rest, rated), "pooled", seconds=3 * LONGEST_REST)


def _pooled(categories: list[Category]) -> Rated:
    design: dict[str, float] = {}
    voters: dict[str, int] = {}
    effective_voters: dict[str, float] = {}
    effective_prompts: dict[str, float] = {}
    prefetch_related_objects(categories, "ratings")
    by_category = pair_counts.counts_by_category(categories)
    counts = pair_counts.Counts(
        *(np.concatenate([getattr(table, name) for table in by_category]) for name in ("left", "right", "outcome", "n"))
    )
    total = counts.total
    weight = np.concatenate([np.full(table.n.size, total / len(by_category) / table.total) for table in by_category])
    for category in categories:
        for rating in category.ratings.all():
            model = str(rating.image_model_id)
            design[model] = max(design.get(model, 1.0), rating.design_effect)
            voters[model] = max(voters.get(model, 0), rating.voters)  # at least so many: some may vote in several
            for known, number in (
                (effective_voters, rating.effective_voters),
                (effective_prompts, rating.effective_prompts),
            ):
                if number is not None:
                    known[model] = max(known.get(model, 0.0), number)
    counted = counts.cells()
    weighted = replace(counted, n=counted.n * weight, squared=counted.n * weight**2)
    plain = intervals.careful(elo.fit(weighted), counted)
    spread = replace(
        intervals.Spread.none(len(plain.models)),
        design=np.array([design.get(model, 1.0) for model in plain.models], np.float64),
        voters=np.array([voters.get(model, 0) for model in plain.models], np.int64),
        effective_voters=np.array([effective_voters.get(model, np.nan) for model in plain.models]),
        effective_prompts=np.array([effective_prompts.get(model, np.nan) for model in plain.models]),
    )
    fit = intervals.inflated(plain, spread.design)
    state = pair_counts.State(total, None)
    computed = Computed(state, counts, counted, plain, fit, spread, True, None, clustered=False)
    return Rated(total, named(computed))


def named(computed: Computed) -> tuple[Rating, ...]:
    """The ratings with their models, best first; none where no two models are connected by votes."""
    if not computed.fit.connected.any():
        return ()
    models = ImageModel.objects.select_related("lab").in_bulk(
        [numbers["image_model_id"] for numbers in computed.numbers]
    )
    rows = [Rating(image_model=models[row["image_model_id"]], **_without_id(row)) for row in computed.numbers]
    return tuple(sorted(rows, key=lambda row: (row.rank_low is None, -row.elo, row.image_model.name)))


def _without_id(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in numbers.items() if name != "image_model_id"}


def _remember(key: Any, state: Any, make: Callable[[], Rated]) -> Rated:
    """What was made for this state, or for another one less than `CACHE_TIME` ago; else it is made now."""
    if cached := _boards.get(key):
        old_state, made_at, rated = cached
        if old_state == state or time.monotonic() - made_at < CACHE_TIME.total_seconds():
            return rated
    rated = make()
    _boards.put(key, (state, time.monotonic(), rated))
    return rated


_boards: ProcessCache[Any, tuple[Any, float, Rated]] = ProcessCache(seconds=24 * 3600, max_entries=256)
