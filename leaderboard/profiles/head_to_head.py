"""How a model did against the others rated like it, and against those that it met most often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.models import Category
from leaderboard.board import head_to_head
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating, RecentRating
from leaderboard.rating import elo, shares
from providers.models import ImageModel

NEAREST = 3  # by Elo
MOST_MET = 3  # of the others, by votes
AnyRating = Rating | RecentRating
Rival = tuple[AnyRating, head_to_head.PairRecord]


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

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share, 95 %, from these votes alone."""
        return shares.wilson(self.share, self.votes)


@dataclass(frozen=True, slots=True)
class Matchups:
    shown: tuple[Matchup, ...]
    rest: tuple[Matchup, ...]  # all others that it met, the highest rated first

    @property
    def all(self) -> tuple[Matchup, ...]:
        return (*self.shown, *self.rest)


def of_model(image_model: ImageModel, category: Category, board: Callable[[], Sequence[Standing]]) -> Matchups:
    """The nearest by Elo, then those with the most votes. `board` is called only on a cache miss."""
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
    met = [rival for rival in rivals if rival[1].votes]
    telling = most_telling(own.elo, met)
    rest = [rival for rival in met if rival not in telling]
    shown, folded = (tuple(_matchup(image_model, own, *rival) for rival in part) for part in (telling, rest))
    return Matchups(shown, folded)


def most_telling(own: float, met: Sequence[Rival]) -> list[Rival]:
    """The nearest to this Elo, the closest first, then those of the others that it met most often."""
    nearest = sorted(met, key=lambda rival: abs(rival[0].elo - own))[:NEAREST]
    others = sorted((rival for rival in met if rival not in nearest), key=lambda rival: -rival[1].votes)
    return [*nearest, *others[:MOST_MET]]


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
