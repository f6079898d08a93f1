"""Numbers and lists as words, for the sentences of `verdict` and of pages. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

ORDINALS = ("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")
_FRACTIONS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth", 7: "a seventh", 8: "an eighth",
              9: "a ninth", 10: "a tenth"}  # fmt: skip
_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times", 7: "seven times",
          8: "eight times", 9: "nine times", 10: "ten times"}  # fmt: skip


def fraction(part: float) -> str:
    """A part of one down to a tenth: 0.21 → a fifth."""
    if part < 0.095:
        return "less than a tenth"
    return _FRACTIONS.get(round(1 / part), "as much") if part < 0.8 else "as much"


def times(factor: float) -> str:
    """A multiple: 1.4 → 1.4 times, 4.8 → five times, 23.4 → 23 times."""
    if factor < 1.9:
        return f"{factor:.1f} times"
    return _TIMES.get(round(factor)) or f"{factor:.0f} times"


def rounded(number: int) -> str:
    """A forecast with the two digits that it can bear: 1,127 → 1,100."""
    if number < 100:
        return f"{number}"
    unit = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{math.ceil(number / unit) * unit:,}"


def counted(number: int | None, noun: str) -> str:
    """3 voters, 1 voter, No voter."""
    if not number:
        return f"No {noun}"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def both(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
