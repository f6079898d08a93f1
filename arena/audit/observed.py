"""What a voter's browser received in one battle, and the truth about it that it must not learn from that.

Pure values; `play` collects them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

# These say when and how much, not what: the second is picture content (see `features.sizes`).
MAY_DIFFER = {"date", "content-length"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response as it came over the wire: headers in their order, and seconds to the first and the last byte."""

    asked: str  # "GET /battles/…"
    status: int
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    first: float
    whole: float

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def manner(self) -> tuple[str, ...]:
        """Everything but the body, and but for what may differ: status, version, headers in their order."""
        compared = (f"{key}: {'' if key.lower() in MAY_DIFFER else value}" for key, value in self.headers)
        return (str(self.status), self.version, *compared)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Reference:
    """What today's pipeline makes from the same original: pixels aside, a received image must not differ from it."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ShownSide:
    """One image of a battle as it came, and whose it is. Pictures are keyed "large" and "small"."""

    place: str  # left or right
    token: str
    model: str
    image: str  # the entry, by any name that is the same in every battle
    pictures: Mapping[str, Answer]
    again: tuple[Answer, ...] = ()
    probes: Mapping[str, Answer] = field(default_factory=dict)  # HEAD, a range, a conditional request
    references: Mapping[str, Reference] = field(default_factory=dict)
    public: frozenset[str] = frozenset()  # sha256 of what public pages show of this entry


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for that must be refused, and what came instead."""

    what: str
    answer: Answer
    expected: frozenset[int]
    twin: bytes | None = None  # the same refusal of something that betrays nothing: it must read the same


@dataclass(frozen=True, slots=True)
class Shown:
    """One battle, up to the vote."""

    prompt: str
    box: tuple[int, int]
    page: Answer
    left: ShownSide
    right: ShownSide
    others: tuple[Answer, ...] = ()  # whatever else came since the vote before: redirects, preloads, errors
    refused: tuple[Refused, ...] = ()
    named: tuple[tuple[str, str], ...] = ()  # URL and file: an image shown beside names while this was open
    innocent: str = ""  # words both sides share: the prompt, the competition, the site's own

    @property
    def sides(self) -> tuple[ShownSide, ShownSide]:
        return self.left, self.right

    @property
    def answers(self) -> list[Answer]:
        """Every answer the voter had before the vote."""
        of_sides = [
            answer for side in self.sides for answer in (*side.pictures.values(), *side.again, *side.probes.values())
        ]
        return [self.page, *self.others, *of_sides, *(refused.answer for refused in self.refused)]
