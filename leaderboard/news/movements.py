"""What moved between two looks at a board. Pure: marks then and now in, moves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan, nan, sqrt
from statistics import median
from typing import Literal

from leaderboard.rating.elo import Z95
from leaderboard.rating.place import Place

Kind = Literal["new", "gone", "moved"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A model's place on a board at one time."""

    elo: float
    se: float
    place: Place = field(default_factory=Place.unknown)
    plain_se: float = nan  # as if votes were independent; nan where unknown


@dataclass(frozen=True, slots=True)
class Move:
    """What became of a model. `is_clear`: its Elo changed by more than the votes' noise explains."""

    model: str
    kind: Kind
    before: Mark | None
    now: Mark | None
    shift: float = 0.0  # by how much the board's models moved together: the median

    @property
    def elo(self) -> float:
        """By how much the Elo changed; 0 for a model that came or went."""
        return self.now.elo - self.before.elo if self.now and self.before else 0.0

    @property
    def ranks(self) -> int:
        """By how much the better end of its place rose; negative where it fell."""
        before, now = (None if mark is None else mark.place.low for mark in (self.before, self.now))
        return 0 if before is None or now is None else before - now

    @property
    def is_clear(self) -> bool:
        """Beside the board's common shift, at 95 %."""
        if self.now is None or self.before is None:
            return True
        noise = Z95 * sqrt(_variance_of_change(self.before, self.now))
        return isfinite(noise) and abs(self.elo - self.shift) > noise


def _variance_of_change(before: Mark, now: Mark) -> float:
    """Of a rating that was made from some votes, and then from these and newer ones.

    The two share their older votes, so the change has the variance that newer votes took away: that of independent
    votes before, less that of now (an estimate is not correlated with its own improvement: Hausman, Econometrica
    46:1251, 1978), times what voters and prompts add. In simulation an unchanged model is called changed in 0 to 6.5 %
    of cases; with both errors as independent 0 to .8, so that hardly any real change was seen; and with the difference
    of the whole variances in 3 to 40, because prompts add the same error to both.
    """
    if isnan(before.plain_se) or isnan(now.plain_se):
        return now.se**2 + before.se**2
    design = now.se / now.plain_se if now.plain_se > 0 else 1.0
    return float(design**2 * abs(before.plain_se**2 - now.plain_se**2))


def moves(before: Mapping[str, Mark], now: Mapping[str, Mark]) -> list[Move]:
    """Every model that came, went, changed its place or clearly changed its Elo; the largest change of place first."""
    both = [(before[model], now[model]) for model in before.keys() & now.keys()]
    changes = [mark.elo - old.elo for old, mark in both if isfinite(old.se) and isfinite(mark.se)]
    shift = median(changes) if len(changes) > 2 else 0.0
    movements: list[Move] = []
    for model in sorted(before.keys() | now.keys()):
        kind: Kind = "new" if model not in before else "gone" if model not in now else "moved"
        move = Move(model, kind, before.get(model), now.get(model), shift)
        if kind != "moved" or move.ranks or move.is_clear:
            movements.append(move)
    return in_order(movements)


def in_order(listed: Iterable[Move]) -> list[Move]:
    kinds = ("new", "moved", "gone")
    return sorted(listed, key=lambda move: (kinds.index(move.kind), -abs(move.ranks), -abs(move.elo), move.model))
