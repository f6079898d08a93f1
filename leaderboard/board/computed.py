"""A board before it is stored: fit, intervals and what they say, from counts and single votes. `ratings` stores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from arena.models import Category, Vote
from leaderboard.board import pair_counts
from leaderboard.models import Board, Rating, RatingNumbers, RecentBoard
from leaderboard.rating import elo, intervals, ranks, verdict, ways


@dataclass(frozen=True, eq=False)
class Computed:
    """Models are named by their ids."""

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
        return ranks.rank_inference(self.fit.elo, self.fit.covariance, self.spread.degrees)

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

    def rows(self, category: Category) -> list[Rating]:
        """The ratings of the board, unsaved, in the order of the fit."""
        return [Rating(category=category, **numbers) for numbers in self.numbers]

    def finding_json(self, confirmed: Sequence[int] | None) -> dict[str, Any]:
        """The board's finding as it is stored: models by their ids."""
        finding = self.finding(confirmed)
        named = [int(self.fit.models[index]) for index in finding.named]
        return {
            "kind": finding.kind,
            "named": named,
            "within": finding.within,
            "lacking": finding.lacking,
            "more_votes": _between_first_two(self),
            "apart": [[int(model) for model in group] for group in elo.groups_apart(self.cells)],
        }


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
    least = intervals.least_effective(int(fit.connected.sum()))
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
                least,
            ),
        }
        for index, model in enumerate(fit.models)
    ]


def _ranks(low: int, high: int, tier: int, se: float) -> dict[str, int | None]:
    """None of them for a model without an interval: it could be anywhere."""
    known = np.isfinite(se)
    values = {"rank": low, "rank_low": low, "rank_high": high, "tier": tier}
    return {name: int(value) if known else None for name, value in values.items()}


def _between_first_two(computed: Computed) -> int | None:
    """Votes between the board's first two models that separate them with 80 % probability; None: unforeseeable."""
    placed = np.flatnonzero(np.isfinite(computed.fit.se))
    return computed.needed[placed[np.argmax(computed.fit.elo[placed])]] if placed.size > 1 else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
