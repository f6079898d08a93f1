"""Reads a prompt the way the studio needs it: which words must be *written* in the picture, and what it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A closing quotation mark must not be followed by a letter, or ‘TODAY’S SPECIALS’ would end after ‘TODAY’.
_QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"|‘(.+?)’(?!\w)|(?<!\w)'(.+?)'(?!\w)", re.DOTALL)
_PRICE = re.compile(r"^\s*(?:[€$£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[€$£¥]|cents?|kr))\s*$", re.IGNORECASE)
_WORD = re.compile(r"[a-zà-ÿ]+")
_PLURAL = re.compile(r"(?<=[a-z]{3})(?<!s)s$")


# More than a picture can hold; keeps a pasted novel from being typeset.
MOST_QUOTES, LONGEST_QUOTE = 12, 200


@dataclass(frozen=True)
class Brief:
    """What was asked for."""

    prompt: str
    quotes: tuple[str, ...]  # to be written, in order, each once
    words: frozenset[str]  # everything outside the quotation marks, lower case, singular where that is easy

    @property
    def price(self) -> str | None:
        return next((quote for quote in self.quotes if _PRICE.match(quote)), None)

    @property
    def phrases(self) -> tuple[str, ...]:
        """The quotations that are not the price."""
        return tuple(quote for quote in self.quotes if quote != self.price)

    def about(self, *words: str) -> int:
        """How many of these words the prompt uses."""
        return sum(1 for word in words if word in self.words)


def read(prompt: str) -> Brief:
    quotes: list[str] = []
    for match in _QUOTED.finditer(prompt):
        text = " ".join(next(group for group in match.groups() if group is not None).split())
        text = text[:LONGEST_QUOTE].rstrip(" ,;")
        folded = text.casefold()
        if not text:
            continue
        same = next((i for i, seen in enumerate(quotes) if seen.casefold() == folded), None)
        if same is None:
            quotes.append(text)
        elif text.isupper():  # 'Magic Burger' … title 'MAGIC BURGER': the spelling asked for as lettering wins
            quotes[same] = text
    plain = _WORD.findall(_QUOTED.sub(" ", prompt).lower())
    if not plain:  # a prompt that is nothing but a quotation is about its words
        plain = _WORD.findall(prompt.lower())
    words = frozenset(plain) | frozenset(_PLURAL.sub("", word) for word in plain)
    return Brief(prompt=prompt, quotes=tuple(quotes[:MOST_QUOTES]), words=words)
