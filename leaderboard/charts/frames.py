"""The paper that charts are drawn on: its size, margins and letters; and numbers as SVG writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the units of a view box; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def overlaps(self, other: Box) -> bool:
        """Whether the two share some area; touching edges share none."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def contains(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """A view box; `letters` is the font size in its units, also the measure of its margins."""

    name: str
    width: float
    height: float
    letters: float

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    @property
    def plot(self) -> Box:
        """Where marks go: room for the numbers of the y axis on the left, for ticks and a title below."""
        letters = self.letters
        right, bottom = self.width - letters * 1.2, self.height - letters * 4
        return Box(round(letters * 3.4, 1), round(letters * 2.2, 1), round(right, 1), round(bottom, 1))


WIDE = Frame("wide", 880, 500, 12)
HALF = Frame("wide", 600, 440, 12)  # where two stand side by side
NARROW = Frame("narrow", 360, 400, 11)


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


def number(value: float) -> str:
    """A coordinate: one decimal is a tenth of a pixel, more would only cost bytes."""
    return f"{value:.1f}".removesuffix(".0")


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Path data through the points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
