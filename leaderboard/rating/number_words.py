"""Numbers and lists as words, for the sentences of `verdict` and of pages. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from providers.web.sentence import decimal, sentence

_FRACTIONS = {
    2: sentence("half"), 3: sentence("a third"), 4: sentence("a quarter"), 5: sentence("a fifth"),
    6: sentence("a sixth"), 7: sentence("a seventh"), 8: sentence("an eighth"), 9: sentence("a ninth"),
    10: sentence("a tenth"),
}  # fmt: skip
_TIMES = {
    2: sentence("twice"), 3: sentence("three times"), 4: sentence("four times"), 5: sentence("five times"),
    6: sentence("six times"), 7: sentence("seven times"), 8: sentence("eight times"), 9: sentence("nine times"),
    10: sentence("ten times"),
}  # fmt: skip


def fraction(part: float) -> str:
    """A part of one down to a tenth: 0.21 → a fifth."""
    if part < 2 / 21:  # half-way from a tenth to an eleventh
        return sentence("less than a tenth")
    as_much = sentence("as much")
    return _FRACTIONS.get(round(1 / part), as_much) if part < 0.8 else as_much


def times(factor: float) -> str:
    """A multiple: 1.4 → 1.4 times, 4.8 → five times, 23.4 → 23 times."""
    if factor < 1.9:
        return sentence("%(number)s times", number=decimal(f"{factor:.1f}"))
    return _TIMES.get(round(factor)) or sentence("%(number)s times", number=round(factor))


def rounded(number: int) -> int:
    """A forecast with the two digits that it can bear: 1,127 → 1,200."""
    if number < 100:
        return number
    unit: int = 10 ** (math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit


def counted(number: int | None, noun: str) -> str:
    """3 voters, 1 voter, No voter."""
    if not number:
        return f"No {noun}"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    last = 0 if number % 100 in (11, 12, 13) else number % 10
    if last == 1:
        return sentence("%(number)sst", number=number)
    if last == 2:
        return sentence("%(number)snd", number=number)
    if last == 3:
        return sentence("%(number)srd", number=number)
    return sentence("%(number)sth", number=number)


def both(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return sentence("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def either(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return sentence("%(names)s or %(last)s", names=", ".join(names[:-1]), last=names[-1])
