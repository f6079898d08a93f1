"""Whether a model's images may be used commercially: yes, no, or ask. Pure.

Only a licence that says so is a source: a permissive one makes it a yes, a non-commercial one a no. What a company's
own terms allow is for the reader to ask there, so everything else is “ask”, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "ask", "no"]

PERMISSIVE = ("apache-2.0", "mit", "bsd", "cc0", "cc-by-4.0", "openrail")
ANSWERS: dict[str, str] = {"yes": "commercial", "ask": "ask first", "no": "not commercial"}  # in running text


@dataclass(frozen=True, slots=True)
class CommercialUse:
    """The answer, and what it rests on."""

    answer: Answer
    reason: str

    @property
    def words(self) -> str:
        return ANSWERS[self.answer]


def of_licence(licence: str) -> CommercialUse:
    """From a licence as the catalogue names it; "" is unknown."""
    name = licence.casefold()
    if "non-commercial" in name or "noncommercial" in name or "-nc" in name:
        return CommercialUse("no", licence)
    if any(name == permissive or name.startswith(f"{permissive} ") for permissive in PERMISSIVE):
        return CommercialUse("yes", licence)
    if name == "proprietary":
        return CommercialUse("ask", "own terms")
    return CommercialUse("ask", licence or "licence unknown")
