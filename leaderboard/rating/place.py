"""A model's place on a board: a rank with its bounds, the only form in which a rank is shown.

Every output – page, card, CSV, JSON, Markdown, metadata – builds a `Place` and shows its words; no output shows a bare
rank. `Standing.place`, `Rating.place` and the template tag `{% place … %}` give the same value.

    bounds (N models)   cell of a table        elsewhere (`str(place)`)
    1 to N              1–8 / of 8, tied       tied 1–8 of 8
    a to b              3–8 / of 31            3–8 of 31
    1                   1st / 98% sure        first of 31 (98% sure)
    a                   31 / of 31             31 of 31
    none                – / unrated            not rated yet

Pure: no Django, no numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from providers.web.sentence import per_cent, sentence


@dataclass(frozen=True, slots=True)
class Place:
    """Bounds of a rank among `of` models, from the simultaneous 98 % rank interval; 1 is best.

    low, high  best and worst rank; both None for a model without an interval, which has no place
    of         models of the whole board that have a place, never of a filter
    best       chance of being the best model, 0 to 1; None where nobody computed it
    """

    low: int | None
    high: int | None
    of: int
    best: float | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("a place has both bounds or neither")
        if self.low is not None and self.high is not None and not 1 <= self.low <= self.high <= self.of:
            raise ValueError(f"no place among {self.of}: {self.low} to {self.high}")

    @classmethod
    def unknown(cls, of: int = 0) -> Place:
        """Of a model that nobody rated, or whose rating has no interval yet."""
        return cls(None, None, of)

    @property
    def is_known(self) -> bool:
        return self.low is not None

    @property
    def is_first(self) -> bool:
        """Surely above every other model."""
        return self.low == self.high == 1

    @property
    def is_tied_with_all(self) -> bool:
        """Not distinguished from any other model of the board."""
        return self.low == 1 and self.high == self.of and self.of > 1

    @property
    def could_be_first(self) -> bool:
        return self.low == 1

    @property
    def bounds(self) -> str:
        """The bounds alone, as in the first line of a table's cell: 1st, 31, 3–8, –."""
        if self.low is None or self.high is None:
            return "–"
        if self.is_first:
            return "1st"
        return f"{self.low}" if self.low == self.high else f"{self.low}–{self.high}"

    @property
    def detail(self) -> str:
        """The second line of a table's cell: 98% sure; of 31; of 8, tied; unrated."""
        if not self.is_known:
            return "unrated"
        if self.is_first and self.best is not None:
            return f"{sure(self.best)} sure"
        return f"of {self.of}, tied" if self.is_tied_with_all else f"of {self.of}"

    def __str__(self) -> str:
        """In running text: first of 31 (98% sure); 3–8 of 31; tied 1–8 of 8; not rated yet."""
        if not self.is_known:
            return "not rated yet"
        if self.is_first:
            return f"first of {self.of}" + (f" ({self.detail})" if self.best is not None else "")
        return f"tied {self.bounds} of {self.of}" if self.is_tied_with_all else f"{self.bounds} of {self.of}"

    def as_json(self) -> dict[str, Any]:
        """For APIs: the words and the numbers behind them; unknown numbers are null."""
        return {"text": str(self), "low": self.low, "high": self.high, "of": self.of, "best": self.best}


def sure(chance: float) -> str:
    """A chance in whole per cent, rounded down; 10,000 draws cannot show certainty."""
    if chance > 0.99:
        return sentence("over %(chance)s", chance=per_cent(99))
    return per_cent(math.floor(100 * chance + 1e-9))
