"""Whom a model met most often, and how that went beside what the ratings expect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.models import Category
from leaderboard.board import head_to_head
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating, RecentRating
from leaderboard.rating import elo
from providers.models import ImageModel

SHOWN = 8
AnyRating = Rating | RecentRating


@dataclass(frozen=True, slots=True)
class Matchup:
    """The model against one other, in the category's votes."""

    opponent: ImageModel
    won: int
    tied: int  # those voted both-bad included
    lost: int
    share: float  # of the points, a tie being half
    expected: float  # the share that the ratings of both expect
    compare_url: str

    @property
    def votes(self) -> int:
        return self.won + self.tied + self.lost


@dataclass(frozen=True, slots=True)
class Matchups:
    shown: tuple[Matchup, ...]
    met: int  # opponents with at least one vote
    unmet: int  # rated opponents it has not met yet


def of_model(image_model: ImageModel, category: Category, board: Callable[[], Sequence[Standing]]) -> Matchups:
    """Those with the most votes first. `board` is called only on a cache miss."""
    return get_or_compute(
        "matchups",
        version(category),
        image_model.pk,
        seconds=10 * MINUTE,
        compute=lambda: _of_model(image_model, category, board()),
    )


def _of_model(image_model: ImageModel, category: Category, board: Sequence[Standing]) -> Matchups:
    records = head_to_head.records_of(image_model, category)
    own = next(standing.rating for standing in board if standing.rating.image_model_id == image_model.pk)
    rivals = [(standing.rating, records[image_model.pk, standing.rating.image_model_id]) for standing in board]
    met = sorted((rival for rival in rivals if rival[1].votes), key=lambda rival: -rival[1].votes)
    shown = tuple(_matchup(image_model, own, *rival) for rival in met[:SHOWN])
    return Matchups(shown, met=len(met), unmet=len(rivals) - 1 - len(met))


def _matchup(image_model: ImageModel, own: AnyRating, rating: AnyRating, record: head_to_head.PairRecord) -> Matchup:
    return Matchup(
        opponent=rating.image_model,
        won=record.won,
        tied=record.tied + record.both_bad,
        lost=record.lost,
        share=record.share or 0.0,
        expected=elo.expected_score(own.elo, rating.elo),
        compare_url=f"/compare/{image_model.slug}/{rating.image_model.slug}/",
    )
