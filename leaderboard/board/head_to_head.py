"""Two models head to head: what their ratings expect of one against the other, and what the votes between them were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations
from math import inf, isfinite, sqrt
from typing import Literal

import numpy as np

from arena.models import Category
from leaderboard.board.pair_counts import Counts
from leaderboard.board.pair_key import OUTCOMES
from leaderboard.models import Covariance, HeadToHead
from leaderboard.rating import elo
from providers.models import ImageModel

Window = Literal["all", "90d"]

# By outcome the place in a record: of the left model, and of the right one.
_ORDER = ("left", "right", "tie", "both_bad")
_COLUMNS = np.array([_ORDER.index(outcome) for outcome in OUTCOMES])
_COLUMNS_TURNED = np.where(_COLUMNS < 2, 1 - _COLUMNS, _COLUMNS)


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

    def __add__(self, other: PairRecord) -> PairRecord:
        return PairRecord(
            self.won + other.won, self.lost + other.lost, self.tied + other.tied, self.both_bad + other.both_bad
        )

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


def store(category: Category, window: Window, counts: Counts) -> None:
    """Replace what is stored of the board that was rated from these counts."""
    ids = np.union1d(counts.left, counts.right)
    left, right = np.searchsorted(ids, counts.left), np.searchsorted(ids, counts.right)
    turned = left > right
    column = np.where(turned, _COLUMNS_TURNED[counts.outcome], _COLUMNS[counts.outcome])
    cells = np.zeros((ids.size, ids.size, 4), np.int64)
    np.add.at(cells, (np.minimum(left, right), np.maximum(left, right), column), counts.n)
    HeadToHead.objects.update_or_create(
        category=category,
        window=window,
        defaults={
            "image_models": ids.tolist(),
            "entries": cells[np.triu_indices(ids.size, 1)].astype("<u4").tobytes(),
        },
    )


def records_of(image_model: ImageModel, category: Category) -> dict[tuple[int, int], PairRecord]:
    """The model's records on the category's board by (model id, opponent id); {} of an unknown pair is 0."""
    row = HeadToHead.objects.filter(category=category, window="all").first()
    if row is None or image_model.pk not in row.image_models:
        return defaultdict(PairRecord)
    return _records(row, [(image_model.pk, other) for other in row.image_models if other != image_model.pk])


def records_among(
    models: Iterable[ImageModel], categories: Iterable[Category], window: Window = "all"
) -> dict[int, dict[tuple[int, int], PairRecord]]:
    """By category, the records of these models against each other on its board, both ways round. One query."""
    ids = [model.pk for model in models]
    records: dict[int, dict[tuple[int, int], PairRecord]] = defaultdict(lambda: defaultdict(PairRecord))
    for row in HeadToHead.objects.filter(category__in=list(categories), window=window):
        known = set(row.image_models)
        records[row.category_id] = _records(row, permutations([pk for pk in ids if pk in known], 2))
    return records


def _records(row: HeadToHead, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], PairRecord]:
    """Of these ordered pairs those that met."""
    place = {model: index for index, model in enumerate(row.image_models)}
    k, entries = len(place), np.frombuffer(row.entries, "<u4").reshape(-1, 4)
    records: dict[tuple[int, int], PairRecord] = defaultdict(PairRecord)
    for one, other in pairs:
        i, j = sorted((place[one], place[other]))
        record = PairRecord(*entries[i * k - i * (i + 1) // 2 + j - i - 1].tolist())
        if record.votes:
            records[one, other] = record if place[one] < place[other] else record.reversed()
    return records
