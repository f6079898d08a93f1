"""What moved between two looks at a board. Pure: marks then and now in, moves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import Literal

from leaderboard.rating.elo import Z95
from leaderboard.rating.place import Place

Kind = Literal["new", "gone", "moved"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A model's place on a board at one time."""

    rank: int
    elo: float
    se: float
    place: Place = field(default_factory=Place.unknown)

    @property
    def is_ranked(self) -> bool:
        """Without an interval a model has no place."""
        return isfinite(self.se)


@dataclass(frozen=True, slots=True)
class Move:
    """What became of a model. `is_clear`: its Elo changed by more than the votes' noise explains."""

    model: str
    kind: Kind
    before: Mark | None
    now: Mark | None

    @property
    def elo(self) -> float:
        """By how much the Elo changed; 0 for a model that came or went."""
        return self.now.elo - self.before.elo if self.now and self.before else 0.0

    @property
    def ranks(self) -> int:
        """Places gained; negative where lost."""
        if not (self.now and self.before and self.now.is_ranked and self.before.is_ranked):
            return 0
        return self.before.rank - self.now.rank

    @property
    def is_clear(self) -> bool:
        """Both errors are taken as independent. They share the older votes, so this errs on the side of silence."""
        if self.now is None or self.before is None:
            return True
        noise = Z95 * sqrt(self.now.se**2 + self.before.se**2)
        return isfinite(noise) and abs(self.elo) > noise


def moves(before: Mapping[str, Mark], now: Mapping[str, Mark]) -> list[Move]:
    """Every model that came, went, changed its rank or clearly changed its Elo; the largest change of rank first."""
    movements: list[Move] = []
    for model in sorted(before.keys() | now.keys()):
        kind: Kind = "new" if model not in before else "gone" if model not in now else "moved"
        move = Move(model, kind, before.get(model), now.get(model))
        if kind != "moved" or move.ranks or move.is_clear:
            movements.append(move)
    return in_order(movements)


def in_order(listed: Iterable[Move]) -> list[Move]:
    kinds = ("new", "moved", "gone")
    return sorted(listed, key=lambda move: (kinds.index(move.kind), -abs(move.ranks), -abs(move.elo), move.model))
