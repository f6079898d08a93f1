"""English sentences that can still be said in another language.

An `EnglishSentence` is its text, for files, cards and the API, and has the message it was made from with its values, by
which pages translate it (`leaderboard/board/translation.py`). Values may be sentences themselves. Pure: no Django.
"""

from __future__ import annotations

from typing import Any


class EnglishSentence(str):
    """`message` with `%(name)s` for each value; about `number` things where there is a `plural` of it."""

    message: str
    values: dict[str, Any]
    plural: str
    number: int

    def __new__(cls, message: str, values: dict[str, Any], plural: str = "", number: int = 1) -> EnglishSentence:
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        text = super().__new__(cls, (plural if plural and number != 1 else message) % shown)
        text.message, text.values, text.plural, text.number = message, values, plural, number
        return text

    def __reduce__(self) -> tuple[Any, ...]:  # cached boards are pickled
        return EnglishSentence, (self.message, self.values, self.plural, self.number)


class MidSentence(str):
    """A name as English writes it in the middle of a sentence, text to image; in other languages it stays `name`."""

    name: str

    def __new__(cls, name: str) -> MidSentence:
        text = super().__new__(cls, name[:1].lower() + name[1:])
        text.name = name
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return MidSentence, (self.name,)


def sentence(message: str, **values: Any) -> EnglishSentence:
    return EnglishSentence(message, values)


def sentences(message: str, plural: str, number: int, **values: Any) -> EnglishSentence:
    """One message for one thing and another for several; the number is among the values where it is to be read."""
    return EnglishSentence(message, values, plural, number)


def decimal(text: str) -> str:
    """A number above 0 as English writes it, 1,234.50, whose separators can still be those of another language."""
    whole, point, digits = text.partition(".")
    number = int(whole.replace(",", ""))
    if not point:
        return sentence("%(number)s", number=number) if number >= 1000 else text
    return sentence("%(whole)s.%(digits)s", whole=number, digits=digits)


def per_cent(number: int) -> str:
    """98%, written one way everywhere."""
    return sentence("%(number)s%%", number=number)
