"""What another app adds to a battle's page once its vote is cast: places, how others see the pair, links to the boards.

The app registers it (`register`, from its AppConfig), because the arena knows none of the apps above it. Without one,
pages show names alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import connection
from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class AnsweredPair:
    """A vote, as a reveal is made from it: ids of the category and the two models, and how all counted votes on the two
    images ended, turned the way this voter saw them; the voter's own is among them if it counts."""

    category: int
    left_model: int
    right_model: int
    outcome: str
    counts: bool
    cast_at: datetime
    left_wins: int
    right_wins: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Texts beside a model's name; "" for a model that has no place or Elo yet."""

    place: str  # 3–6 of 8
    long_place: str  # Place 3–6 of 8
    elo: str  # 1021 ±24


@dataclass(frozen=True, slots=True)
class Crowd:
    """How others see the pair.

    basis   "votes" on these two images; "expected" from both models' ratings; "" where nobody knows
    left    share of A in whole per cent, B has the others; ties count half for each
    votes   of others on these two images
    stand   the voter "with" or "against" the larger side, "split" where there is none, "" for a tie or both bad
    """

    basis: str
    left: int
    votes: int
    stand: str

    @property
    def right(self) -> int:
        return 100 - self.left


@dataclass(frozen=True, slots=True)
class Reveal:
    """`headline` and `line` say in words how the voter's answer stands to that of others."""

    left: ModelFigures
    right: ModelFigures
    crowd: Crowd
    headline: str
    line: str


class Extras(Protocol):
    """What an app registers."""

    def reveal(self, pair: AnsweredPair) -> Reveal: ...

    def board_url(self, category_slug: str) -> str:
        """The page with the category's ratings."""

    def ranking_url(self, category_slug: str) -> str:
        """The page with the visitor's own ranking in the category."""

    def method_url(self) -> str:
        """The page that says which votes count."""


class NoExtras:
    """A site whose votes are rated by nobody."""

    def reveal(self, pair: AnsweredPair) -> Reveal:
        unrated = ModelFigures("", "", "")
        return Reveal(unrated, unrated, Crowd("", 50, 0, ""), gettext("Thank you."), "")

    def board_url(self, category_slug: str) -> str:
        return "/"

    def ranking_url(self, category_slug: str) -> str:
        return "/"

    def method_url(self) -> str:
        return "/"


def image_tally(one: int, other: int) -> tuple[int, int, int, int]:
    """All counted votes on two entries: wins of the smaller id, wins of the other, ties, both bad."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT low_wins, high_wins, ties, both_bad FROM arena_imagetally WHERE low_id = %s AND high_id = %s",
            sorted((one, other)),
        )
        tally = cursor.fetchone()
    return tally or (0, 0, 0, 0)


extras: Extras = NoExtras()


def register(registered: Extras) -> None:
    """Make an app's extras those of all pages; the last one registered is used."""
    global extras  # set once per process, while Django sets its apps up
    extras = registered
