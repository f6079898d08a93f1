"""What a voter learns after the vote: whose images they were, where these models stand, and how others see the pair.

Ratings are cached in this process for seconds: a reveal asks the database for nothing it has just read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from django.utils.translation import gettext

from arena.battle_page.reveal_registry import AnsweredPair, ModelFigures
from arena.battle_page.reveal_registry import Reveal as ShownReveal
from leaderboard.board import place_words
from leaderboard.models import Rating
from leaderboard.rating import elo
from leaderboard.rating.place import Place
from leaderboard.voter import crowd
from providers.cache import ProcessCache

SECONDS = 3.0  # how old what is shown may be


@dataclass(frozen=True, slots=True)
class RatedModel:
    """A rating as the reveal needs it, in Elo; without an interval `half_width` is infinite."""

    elo: float
    half_width: float
    place: Place


_ratings: ProcessCache[int, dict[int, RatedModel]] = ProcessCache(seconds=SECONDS, max_entries=1000)  # by category


def reveal(pair: AnsweredPair) -> ShownReveal:
    """The texts of a vote's reveal."""
    ratings = ratings_of(pair.category)
    left, right = ratings.get(pair.left_model), ratings.get(pair.right_model)
    answered = others(pair)
    shown = crowd.of(pair.outcome, answered, expected(left, right))
    return ShownReveal(
        _figures(left),
        _figures(right),
        shown,
        crowd.headline(pair.outcome, shown),
        crowd.line(pair.outcome, shown, answered),
    )


def ratings_of(category: int) -> dict[int, RatedModel]:
    """By model; up to three seconds old."""
    return _ratings.get_or_compute(category, lambda: _read_ratings(category))


def others(pair: AnsweredPair) -> crowd.Others:
    """How others answered on these two images."""
    counted = crowd.Others(pair.left_wins, pair.ties, pair.both_bad, pair.right_wins)
    return crowd.without(counted, pair.outcome if pair.counts else "")


def expected(left: RatedModel | None, right: RatedModel | None) -> float | None:
    """The chance that the left image is preferred, by both ratings; None where one has no interval yet."""
    if left is None or right is None or not math.isfinite(left.half_width + right.half_width):
        return None
    return elo.expected_score(left.elo, right.elo)


def _figures(rating: RatedModel | None) -> ModelFigures:
    if rating is None:
        return ModelFigures("", "", "")
    if not rating.place.is_known:
        return ModelFigures("", "", gettext("%(elo)s provisional") % {"elo": f"{rating.elo:.0f}"})
    place, words = replace(rating.place, best=None), place_words.text(replace(rating.place, best=None))
    is_bounds = not place.is_first and not place.is_tied_with_all
    long = gettext("Place %(place)s") % {"place": words} if is_bounds else words[0].upper() + words[1:]
    return ModelFigures(words, long, f"{rating.elo:.0f} ±{rating.half_width:.0f}")


def _read_ratings(category: int) -> dict[int, RatedModel]:
    # The ± is the wider half: near the ends of a board the two differ.
    return {
        rating.image_model_id: RatedModel(
            rating.elo, max(rating.upper - rating.elo, rating.elo - rating.lower), rating.place
        )
        for rating in Rating.everything.filter(category=category)
    }


class RevealExtras:
    """What the leaderboard registers with the arena. Its URLs are written out: `reverse` took a twentieth of a vote."""

    def reveal(self, pair: AnsweredPair) -> ShownReveal:
        return reveal(pair)

    def board_url(self, category_slug: str) -> str:
        return f"/leaderboard/{category_slug}/"

    def ranking_url(self, category_slug: str) -> str:
        return f"/arena/{category_slug}/mine/"

    def method_url(self) -> str:
        return "/integrity/"
