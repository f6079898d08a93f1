"""Two models at a time: what is expected when they meet, and what happened when they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import isfinite, sqrt

import numpy as np

from arena.models import Category
from leaderboard.board import pair_counts
from leaderboard.models import Rating
from leaderboard.rating import elo
from providers.models import ImageModel


@dataclass(frozen=True, slots=True)
class Meetings:
    """How often one model beat, tied with and lost to the other, wherever each stood."""

    won: int = 0
    lost: int = 0
    tied: int = 0  # without those that were both bad
    both_bad: int = 0

    @property
    def votes(self) -> int:
        return self.won + self.lost + self.tied + self.both_bad

    @property
    def share(self) -> float | None:
        """Of the points: a tie and both-bad are half a win. None if they never met."""
        return (self.won + (self.tied + self.both_bad) / 2) / self.votes if self.votes else None

    def turned(self) -> Meetings:
        """The same from the other model's side."""
        return Meetings(self.lost, self.won, self.tied, self.both_bad)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a model is expected to score against an opponent: its chance to win plus half its chance to tie.

    `lower` and `upper` end the 95 % interval; both None where one of the two has no bounded rating yet.
    """

    image_model: ImageModel
    opponent: ImageModel
    difference: float  # Elo of the model − Elo of the opponent
    share: float
    lower: float | None
    upper: float | None
    meetings: Meetings


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who met whom. `rows` go with `models`, best first; None stands on the diagonal."""

    models: list[ImageModel]
    rows: list[tuple[ImageModel, list[Meetings | None]]]


def expected(image_model: ImageModel, category: Category) -> list[Expectation]:
    """The model against every other of the category's board, in the order of the board; none if it is not rated.

    The interval comes from the covariance kept with the board: the errors of two ratings hang together, so those of
    their difference do not follow from the two alone. It is the interval of the model's logistic curve, without what
    other prompts would have changed.
    """
    ratings = list(category.ratings.select_related("image_model__lab").order_by("rank", "-elo", "image_model__name"))
    own = next((rating for rating in ratings if rating.image_model_id == image_model.pk), None)
    if own is None:
        return []
    variances = _variances(category)
    met = meetings_of(image_model, category)
    return [
        _expectation(own, other, variances, met[own.image_model_id, other.image_model_id])
        for other in ratings
        if other is not own
    ]


def expected_pair(one: ImageModel, other: ImageModel, category: Category) -> Expectation | None:
    """The same for one pair; None unless both are rated in the category."""
    found = {rating.image_model_id: rating for rating in category.ratings.filter(image_model__in=[one, other])}
    if len(found) < 2:
        return None
    for model in (one, other):
        found[model.pk].image_model = model
    met = meetings_of(one, category)[one.pk, other.pk]
    return _expectation(found[one.pk], found[other.pk], _variances(category), met)


def _expectation(own: Rating, other: Rating, variances: dict[tuple[int, int], float], met: Meetings) -> Expectation:
    variance = variances.get((own.image_model_id, other.image_model_id), np.inf)
    reach = elo.Z95 * sqrt(variance) if isfinite(variance) else None
    low, share, high = (
        None if shift is None else elo.expected_score(own.elo + shift, other.elo)
        for shift in (None if reach is None else -reach, 0.0, reach)
    )
    assert share is not None
    return Expectation(own.image_model, other.image_model, own.elo - other.elo, share, low, high, met)


def _variances(category: Category) -> dict[tuple[int, int], float]:
    """Elo² by the ids of two models: the variance of the difference of their ratings."""
    kept = getattr(category, "covariance", None)
    if kept is None:
        return {}
    models, k = kept.image_models, len(kept.image_models)
    c = np.zeros((k, k), np.float64)
    c[np.triu_indices(k)] = np.frombuffer(kept.entries, "<f4")
    spread = np.add.outer(np.diag(c), np.diag(c)) - 2 * np.triu(c, 1) - 2 * np.triu(c, 1).T
    return {
        (one, other): max(0.0, float(spread[i, j]))
        for i, one in enumerate(models)
        for j, other in enumerate(models)
        if i != j
    }


def meetings(category: Category, since: date | None = None) -> dict[tuple[int, int], Meetings]:
    """All meetings by (model id, opponent id), both ways round, from the tallies; an unknown pair never met."""
    return _met(pair_counts.cells(category, since))


def meetings_of(image_model: ImageModel, category: Category) -> dict[tuple[int, int], Meetings]:
    """The same of one model alone, however many votes the others have."""
    return _met(pair_counts.cells_of(image_model.pk, category))


def _met(cells: Iterable[pair_counts.Cell]) -> dict[tuple[int, int], Meetings]:
    counts: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for left, right, outcome, n in cells:
        if outcome in ("left", "right"):
            winner, loser = (left, right) if outcome == "left" else (right, left)
            counts[winner, loser]["won"] += n
            counts[loser, winner]["lost"] += n
        else:
            for pair in ((left, right), (right, left)):
                counts[pair]["tied" if outcome == "tie" else "both_bad"] += n
    return defaultdict(Meetings, {pair: Meetings(**each) for pair, each in counts.items()})


def head_to_head(one: ImageModel, other: ImageModel, category: Category) -> Meetings:
    """How the two met in the category, from the first one's side."""
    return meetings_of(one, category)[one.pk, other.pk]


def matrix(category: Category) -> Matrix:
    """Every pair of the category's board."""
    ratings = category.ratings.select_related("image_model__lab").order_by("rank", "-elo", "image_model__name")
    models = [rating.image_model for rating in ratings]
    met = meetings(category)
    return Matrix(
        models,
        [(row, [None if row is column else met[row.pk, column.pk] for column in models]) for row in models],
    )
