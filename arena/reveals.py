"""What another app adds to a battle's page once its vote is cast: ratings, what others answered, links to the boards.

The app registers it (`register`, from its AppConfig), because the arena knows none of the apps above it. Without one,
pages show names alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
    """Texts beside a model's name: its Elo ("" when it has none), what is known of it, what this vote alone moves."""

    elo: str
    note: str
    change: str


@dataclass(frozen=True, slots=True)
class OtherAnswers:
    """How others answered: on these two "images" or on these two "models", how many, and the shares of A and B."""

    about: str
    votes: int
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Reveal:
    left: ModelFigures
    right: ModelFigures
    others: OtherAnswers | None


class Extras(Protocol):
    """What an app registers."""

    def reveal(self, pair: AnsweredPair) -> Reveal: ...

    def board_url(self, category_slug: str) -> str:
        """The page with the category's ratings."""

    def ranking_url(self, category_slug: str) -> str:
        """The page with the visitor's own ranking in the category."""


class NoExtras:
    """A site whose votes are rated by nobody."""

    def reveal(self, pair: AnsweredPair) -> Reveal:
        unrated = ModelFigures("", "", "")
        return Reveal(unrated, unrated, None)

    def board_url(self, category_slug: str) -> str:
        return "/"

    def ranking_url(self, category_slug: str) -> str:
        return "/"


extras: Extras = NoExtras()


def register(registered: Extras) -> None:
    """Make an app's extras those of all pages; the last one registered is used."""
    global extras  # set once per process, while Django sets its apps up
    extras = registered
