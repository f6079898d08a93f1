"""What a voter learns after the vote: whose images they were, what the vote moves, and how others voted.

Ratings and counts are cached in this process for seconds: a reveal asks the database for nothing it has just read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.urls import reverse

from arena.reveals import AnsweredPair, ModelFigures, OtherAnswers
from arena.reveals import Reveal as ShownReveal
from leaderboard.models import Rating
from leaderboard.rating import elo
from providers.cache import ProcessCache

ENOUGH = 10  # votes of others before their share says anything; fewer would also tell who they were
SECONDS = 3.0  # how old what is shown may be


@dataclass(frozen=True, slots=True)
class Others:
    """How others answered the same question, turned the way this voter saw it."""

    about: str  # "images": these two; "models": any images of the two models
    left: int
    tie: int
    both_bad: int
    right: int

    @property
    def votes(self) -> int:
        return self.left + self.tie + self.both_bad + self.right

    def share(self, side: str) -> str:
        return f"{100 * (self.left if side == 'left' else self.right) / self.votes:.0f}%"


@dataclass(frozen=True, slots=True)
class RatedModel:
    """A rating as the reveal needs it, in Elo; without an interval `half_width` is infinite."""

    elo: float
    half_width: float


@dataclass(frozen=True, slots=True)
class ModelPair:
    """How all counted votes on two models ended, from the side of the smaller id, as of a time of the database."""

    read_at: datetime
    wins: int
    ties: int
    both_bad: int
    losses: int


_ratings: ProcessCache[int, dict[int, RatedModel]] = ProcessCache(seconds=SECONDS, max_entries=1000)  # by category
_pairs: ProcessCache[tuple[int, int, int], ModelPair] = ProcessCache(seconds=SECONDS, max_entries=20_000)


def reveal(pair: AnsweredPair) -> ShownReveal:
    """The texts of a vote's reveal.

    The change is the step of a running Elo that this one vote would make for the left model, the right one's being the
    opposite. The board is fitted to all votes, so it moves by something else.
    """
    ratings = _ratings.get_or_compute(pair.category, lambda: _read_ratings(pair.category))
    left, right = ratings.get(pair.left_model), ratings.get(pair.right_model)
    step = change(pair)
    answered = others(pair)
    return ShownReveal(
        _figures(left, step),
        _figures(right, None if step is None else -step),
        None
        if answered is None
        else OtherAnswers(answered.about, answered.votes, answered.share("left"), answered.share("right")),
    )


def change(pair: AnsweredPair) -> float | None:
    """The step of a running Elo for the left model; None where one of them is not rated, or the vote does not count."""
    ratings = _ratings.get_or_compute(pair.category, lambda: _read_ratings(pair.category))
    left, right = ratings.get(pair.left_model), ratings.get(pair.right_model)
    if left is None or right is None or pair.left_model == pair.right_model or not pair.counts:
        return None
    return elo.online_change(left.elo, right.elo, elo.SCORES[pair.outcome])


def others(pair: AnsweredPair) -> Others | None:
    """On these two images, else on these two models; None where fewer than ten others answered."""
    on_images = _without_own(
        Others("images", pair.left_wins, pair.ties, pair.both_bad, pair.right_wins), pair.outcome if pair.counts else ""
    )
    if on_images.votes >= ENOUGH:
        return on_images
    if pair.left_model == pair.right_model:
        return None
    low, high = sorted((pair.left_model, pair.right_model))
    counted = _pairs.get_or_compute((pair.category, low, high), lambda: _read_pair(pair.category, low, high))
    wins, losses = (counted.wins, counted.losses) if low == pair.left_model else (counted.losses, counted.wins)
    is_among = pair.counts and pair.cast_at <= counted.read_at
    on_models = _without_own(
        Others("models", wins, counted.ties, counted.both_bad, losses), pair.outcome if is_among else ""
    )
    return on_models if on_models.votes >= ENOUGH else None


def _without_own(others: Others, outcome: str) -> Others:
    counts = {"left": others.left, "tie": others.tie, "both_bad": others.both_bad, "right": others.right}
    if outcome:
        counts[outcome] = max(0, counts[outcome] - 1)
    return Others(others.about, **counts)


def _figures(rating: RatedModel | None, step: float | None) -> ModelFigures:
    if rating is None:
        return ModelFigures("", "", "")
    note = f"±{rating.half_width:.0f}" if math.isfinite(rating.half_width) else "provisional"
    moved = "" if step is None else f"{step:+.1f}".replace("-", "−")
    return ModelFigures(f"{rating.elo:.0f}", note, moved)


def _read_ratings(category: int) -> dict[int, RatedModel]:
    rows: Iterable[tuple[int, float, float, float]] = Rating.objects.filter(category=category).values_list(
        "image_model", "elo", "lower", "upper"
    )
    # The ± is the wider half: near the ends of a board the two differ.
    return {model: RatedModel(value, max(upper - value, value - lower)) for model, value, lower, upper in rows}


_PAIR = """
SELECT statement_timestamp(),
    coalesce(sum(n) FILTER (WHERE outcome = CASE WHEN left_model_id = %(low)s THEN 'left' ELSE 'right' END), 0)::int,
    coalesce(sum(n) FILTER (WHERE outcome = 'tie'), 0)::int,
    coalesce(sum(n) FILTER (WHERE outcome = 'both_bad'), 0)::int,
    coalesce(sum(n) FILTER (WHERE outcome = CASE WHEN left_model_id = %(low)s THEN 'right' ELSE 'left' END), 0)::int
FROM arena_tally
WHERE category_id = %(category)s AND ((left_model_id = %(low)s AND right_model_id = %(high)s)
    OR (left_model_id = %(high)s AND right_model_id = %(low)s))
"""


def _read_pair(category: int, low: int, high: int) -> ModelPair:
    with connection.cursor() as cursor:
        cursor.execute(_PAIR, {"category": category, "low": low, "high": high})
        return ModelPair(*cursor.fetchone())


class RevealExtras:
    """What the leaderboard registers with the arena."""

    def reveal(self, pair: AnsweredPair) -> ShownReveal:
        return reveal(pair)

    def board_url(self, category_slug: str) -> str:
        return reverse("leaderboard:category", args=[category_slug])

    def ranking_url(self, category_slug: str) -> str:
        return f"/arena/{category_slug}/mine/"
