"""Two models head to head: what their ratings expect of one against the other, and what the votes between them were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
from django.db.models import Sum

from arena.models import Category, Tally
from leaderboard.board import pair_counts
from leaderboard.models import Covariance
from leaderboard.rating import elo
from providers.models import ImageModel

_RESULTS = {"tie": "tied", "both_bad": "both_bad"}


@dataclass(frozen=True, slots=True)
class PairRecord:
    """How often one model beat, tied with and lost to the other, whichever stood on the left."""

    won: int = 0
    lost: int = 0
    tied: int = 0  # without those that were both bad
    both_bad: int = 0

    @property
    def votes(self) -> int:
        return self.won + self.lost + self.tied + self.both_bad

    @property
    def share(self) -> float | None:
        """Of the points, 0 to 1: a tie and both-bad are half a win. None without votes."""
        return (self.won + (self.tied + self.both_bad) / 2) / self.votes if self.votes else None

    def reversed(self) -> PairRecord:
        """The same from the other model's side."""
        return PairRecord(self.lost, self.won, self.tied, self.both_bad)


@dataclass(frozen=True, slots=True)
class ExpectedShare:
    """The points, 0 to 1, that a model is expected to win against another: its chance to win plus half that to tie.

    lower and upper end the 95 % interval; both None where one of the two models has no interval.
    """

    share: float
    lower: float | None = None
    upper: float | None = None

    @property
    def is_apart(self) -> bool:
        """Whether the interval excludes an even score."""
        return self.lower is not None and self.upper is not None and not self.lower <= 0.5 <= self.upper


def expected_share(elo_a: float, elo_b: float, variance: float) -> ExpectedShare:
    """What a is expected to score against b; `variance` in Elo² is that of the difference of the two ratings.

    The errors of two ratings are correlated, so the interval of a difference does not follow from two intervals.
    """
    share = elo.expected_score(elo_a, elo_b)
    if not isfinite(variance):
        return ExpectedShare(share)
    reach = elo.Z95 * sqrt(variance)
    return ExpectedShare(share, elo.expected_score(elo_a - reach, elo_b), elo.expected_score(elo_a + reach, elo_b))


def variance_of_difference(covariance: Covariance | None, one: int, other: int) -> float:
    """Of the ratings of two models, by their ids, in Elo²; infinite where unknown. Reads three numbers."""
    if covariance is None or one not in covariance.image_models or other not in covariance.image_models:
        return inf
    i, j = sorted((covariance.image_models.index(one), covariance.image_models.index(other)))
    entries, k = np.frombuffer(covariance.entries, "<f4"), len(covariance.image_models)

    def entry(row: int, column: int) -> float:
        return float(entries[row * k - row * (row - 1) // 2 + column - row])

    difference = entry(i, i) + entry(j, j) - 2 * entry(i, j)
    return max(0.0, difference) if isfinite(difference) else inf


def records_of(image_model: ImageModel, category: Category) -> dict[tuple[int, int], PairRecord]:
    """The model's records by (model id, opponent id), both ways round, from the tallies; {} of an unknown pair is 0."""
    return _records(pair_counts.cells_of(image_model.pk, category))


def records_among(
    models: Iterable[ImageModel], categories: Iterable[Category]
) -> dict[int, dict[tuple[int, int], PairRecord]]:
    """By category, the records of these models against each other. One query, whatever votes the others have."""
    models = list(models)
    rows = (
        Tally.objects.filter(category__in=list(categories), left_model__in=models, right_model__in=models)
        .order_by()
        .values_list("category", "left_model", "right_model", "outcome")
        .annotate(total=Sum("n"))
    )
    cells: dict[int, list[pair_counts.Cell]] = defaultdict(list)
    for category, *cell in rows:
        cells[category].append((*cell,))
    return defaultdict(lambda: _records(()), {category: _records(own) for category, own in cells.items()})


def _records(cells: Iterable[pair_counts.Cell]) -> dict[tuple[int, int], PairRecord]:
    counts: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for left, right, outcome, n in cells:
        for model, opponent, side in ((left, right, "left"), (right, left, "right")):
            result = _RESULTS.get(outcome, "won" if outcome == side else "lost")
            counts[model, opponent][result] += n
    return defaultdict(PairRecord, {pair: PairRecord(**results) for pair, results in counts.items()})
