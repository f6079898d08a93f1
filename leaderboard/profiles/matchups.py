"""Whom a model met most often, and how that went beside what the ratings expect."""

from __future__ import annotations

from dataclasses import dataclass

from arena.models import Category
from leaderboard import pairs
from leaderboard.kept import MINUTE, kept, version
from providers.models import ImageModel

SHOWN = 8


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


def of_model(image_model: ImageModel, category: Category) -> Matchups:
    """Those with the most votes first."""
    return kept(
        "matchups",
        version(category),
        image_model.pk,
        seconds=10 * MINUTE,
        make=lambda: _of_model(image_model, category),
    )


def _of_model(image_model: ImageModel, category: Category) -> Matchups:
    rows = pairs.expected(image_model, category)
    met = sorted((row for row in rows if row.meetings.votes), key=lambda row: -row.meetings.votes)
    return Matchups(tuple(_matchup(image_model, row) for row in met[:SHOWN]), met=len(met), unmet=len(rows) - len(met))


def _matchup(image_model: ImageModel, row: pairs.Expectation) -> Matchup:
    meetings = row.meetings
    return Matchup(
        opponent=row.opponent,
        won=meetings.won,
        tied=meetings.tied + meetings.both_bad,
        lost=meetings.lost,
        share=meetings.share or 0.0,
        expected=row.share,
        compare_url=f"/compare/{image_model.slug}/{row.opponent.slug}/",
    )
