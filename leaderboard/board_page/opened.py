"""What an opened row of a board shows: the model's whole record and how it did against its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.models import Category
from leaderboard.board import head_to_head
from leaderboard.board.head_to_head import PairRecord
from leaderboard.board_page.filters import BoardRow
from leaderboard.board_page.pictures import RatedImage
from leaderboard.cache import MINUTE, get_or_compute, version
from providers.accounts import accounts

NEIGHBOURS = 5
MAX_ROWS = 60  # with pictures and an opener; more would make a heavy page


@dataclass(frozen=True, slots=True)
class OpenedRow:
    record: PairRecord
    neighbours: Sequence[tuple[BoardRow, PairRecord]]
    pictures: Sequence[RatedImage]
    can_be_tried: bool = False  # this site has a key for one of its providers

    @property
    def equal(self) -> int:
        return self.record.tied + self.record.both_bad

    @property
    def won_share(self) -> str:
        return self._per_cent(self.record.won)

    @property
    def equal_share(self) -> str:
        return self._per_cent(self.equal)

    @property
    def not_lost_share(self) -> str:
        return self._per_cent(self.record.won + self.equal)

    @property
    def lost_share(self) -> str:
        return self._per_cent(self.record.lost)

    @property
    def bad_share(self) -> float:
        """Of its votes, those that were “both bad”; 0 to 1."""
        return self.record.both_bad / max(self.record.votes, 1)

    def _per_cent(self, part: int) -> str:
        return f"{100 * part / max(self.record.votes, 1):.1f}"


def records_of(
    category: Category, rows: Sequence[BoardRow], window: head_to_head.Window = "all"
) -> dict[tuple[int, int], PairRecord]:
    """The records of all models of the board against each other, by (model id, opponent id). One query, then cached."""
    models = [row.standing.rating.image_model for row in rows]
    return get_or_compute(
        "records among",
        version(category),
        window,
        seconds=10 * MINUTE,
        compute=lambda: dict(head_to_head.records_among(models, [category], window)[category.pk]),
    )


def of_rows(
    category: Category, rows: Sequence[BoardRow], pictures: dict[int, list[RatedImage]]
) -> dict[int, OpenedRow]:
    """By model id, for the first rows of the whole board."""
    models = [row.standing.rating.image_model for row in rows]
    records = records_of(category, rows)
    reachable = {key for key, account in accounts().items() if account.api_key}
    opened = {}
    for index in range(min(MAX_ROWS, len(rows))):
        model = models[index].pk
        near = [other for _, other in sorted((abs(other - index), other) for other in range(len(rows)))]
        opened[model] = OpenedRow(
            sum((record for (one, _), record in records.items() if one == model), PairRecord()),
            [
                (rows[other], records.get((model, models[other].pk), PairRecord()))
                for other in sorted(near[1 : NEIGHBOURS + 1])
            ],
            pictures.get(model, []),
            any(key in reachable for key in rows[index].providers),
        )
    return opened
