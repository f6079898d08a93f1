"""The questions that pages ask about ratings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from statistics import median
from typing import Any

from arena.models import Category
from leaderboard.board import by_tag, pair_counts
from leaderboard.board import overall as pooled_board
from leaderboard.board.head_to_head import Window
from leaderboard.models import BY_ELO, Board, Rating, RecentBoard, RecentRating
from leaderboard.rating import elo, methods
from leaderboard.rating.place import Place
from providers.cache import ProcessCache
from providers.models import ImageModel


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's place in a category: one row of a board, one fact of a model page."""

    rating: Rating | RecentRating
    of: int  # how many models are rated in the category

    @property
    def half_width(self) -> float | None:
        """Of the 95 % interval; None while it has no bound, as for a model that has won or lost every vote."""
        width = self.rating.upper - self.rating.lower
        return width / 2 if isfinite(width) else None

    @property
    def margin(self) -> float | None:
        """Elo: the ± that is shown, the wider half of the 95 % interval; None where `half_width` is."""
        rating = self.rating
        return None if self.half_width is None else max(rating.upper - rating.elo, rating.elo - rating.lower)

    @property
    def place(self) -> Place:
        """The only form in which a rank is shown."""
        return self.rating.place

    @property
    def keeper_rate(self) -> float | None:
        """Share of the model's appearances that were not voted both-bad."""
        return 1 - self.rating.both_bad / self.rating.votes if self.rating.votes else None


def board(category: Category, window: Window = "all") -> list[Standing]:
    """The category's models by Elo, those without an interval last. From all votes, or those of the last 90 days."""
    rows: Any = category.ratings if window == "all" else category.recent_ratings
    ratings = list(rows.select_related("image_model__lab").order_by(*BY_ELO))
    return [Standing(rating, len(ratings)) for rating in ratings]


def about(category: Category, window: Window = "all") -> Board | RecentBoard | None:
    """The board as a whole: votes, voters, when it was computed, what more votes would bring. None before the first."""
    row: Board | RecentBoard | None = getattr(category, "board" if window == "all" else "recent_board", None)
    return row


def windows(category: Category) -> list[Window]:
    """Which boards the category has. Votes of a file that does not say when they were cast have no last 90 days."""
    return ["all", "90d"] if about(category, "90d") is not None else ["all"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What keeps a category's ratings from being surer: typical half-widths in Elo, and which of the two binds."""

    from_votes: float
    from_prompts: float | None  # infinite where all votes are about one prompt
    prompts: int
    voters: int

    @property
    def is_prompts(self) -> bool:
        return self.from_prompts is not None and self.from_prompts > self.from_votes


def limit(category: Category, window: Window = "all") -> Limit | None:
    """The medians over the models with an interval; None while there is none, or before the first look at raw votes."""
    ratings: Any = category.ratings if window == "all" else category.recent_ratings
    return limit_of(ratings.all(), about(category, window))


def limit_of(ratings: Iterable[Rating | RecentRating], board: Board | RecentBoard | None) -> Limit | None:
    """The same of ratings that somebody has already."""
    rows = [rating for rating in ratings if rating.is_placed and rating.half_width_from_votes is not None]
    if not rows or board is None:
        return None
    by_prompt = [row.half_width_from_prompts for row in rows if row.half_width_from_prompts is not None]
    return Limit(
        from_votes=median(row.half_width_from_votes or 0.0 for row in rows),
        from_prompts=median(by_prompt) if by_prompt else None,
        prompts=board.prompts,
        voters=board.voters,
    )


EXAMPLE = "imagenhub-text-to-image"  # real votes with ties; any other board will do
EXAMPLE_VOTES = 50_000  # a running Elo takes a step per vote


def example() -> tuple[Category, list[methods.MethodRow]] | None:
    """A category's votes rated three ways, for the methodology page; None while nobody has voted."""
    candidates = Board.objects.filter(votes__range=(2, EXAMPLE_VOTES)).select_related("category")
    ordered = sorted(candidates, key=lambda board: (board.category.slug != EXAMPLE, -board.votes))
    if not ordered:
        return None
    board = ordered[0]
    state = board.category_id, board.tallies_changed_at
    return board.category, _comparisons.get_or_compute(state, lambda: _compared(board.category_id))


# By the state of the tallies: the page is requested more often than they change.
_comparisons: ProcessCache[tuple[int, datetime | None], list[methods.MethodRow]] = ProcessCache(
    seconds=3600, max_entries=8
)


def _compared(category_id: int) -> list[methods.MethodRow]:
    category = Category.objects.get(pk=category_id)
    rows = pair_counts.cells(category)
    names = ImageModel.objects.in_bulk({pk for row in rows for pk in row[:2]})
    return methods.rows(
        elo.Cells.from_rows(
            (names[left].export_name, names[right].export_name, outcome, n) for left, right, outcome, n in rows
        )
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """The category's board from the votes on prompts with one tag. No standings: too few votes to say anything."""

    tag: str
    votes: int
    needed: int  # how many votes such a board takes at least
    standings: list[Standing]
    pairs: pair_counts.Pairs
    made_at: datetime  # votes until then are counted


def slice(category: Category, tag: str, votes_about: int = 0) -> Slice | None:
    """None while it is computed for the first time; `votes_about`, as far as known, shows whether that takes long."""
    tag_board = by_tag.board(category, tag, votes_about)
    if tag_board is None:
        return None
    made_at = datetime.fromtimestamp(tag_board.made.at, UTC)
    return Slice(
        tag, tag_board.rated.votes, pooled_board.MIN_VOTES, _standings(tag_board.rated), tag_board.pairs, made_at
    )


@dataclass(frozen=True, slots=True)
class Overall:
    """One board over all categories that are voted on here; `pooled_board.pooled` says how and why so."""

    categories: list[Category]  # which count the same; with fewer than two there are no standings
    votes: int
    standings: list[Standing]


def overall() -> Overall:
    categories, rated = pooled_board.pooled()
    return Overall(categories, rated.votes, _standings(rated))


def _standings(rated: pooled_board.Rated) -> list[Standing]:
    return [Standing(rating, len(rated.ratings)) for rating in rated.ratings]
