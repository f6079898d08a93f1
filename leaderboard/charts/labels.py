"""Names beside marks without collisions: greedy, in eight positions, the important ones first.

A label never covers another label, any mark, or the edge of the picture; those for which no position is left are not
drawn (their names are in the tooltip and in the table). Among free positions the one that crosses the fewest lines
wins, and of these the earlier in the order of `_POSITIONS`, in which people expect labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from . import text
from .frames import Box

Anchor = Literal["start", "middle", "end"]
Boxes = npt.NDArray[np.float64]  # [..., 4]: left, top, right, bottom
Flags = npt.NDArray[np.bool_]

GAP = 3.0  # between a mark and its label
ASCENT, HEIGHT = 0.36, 1.16  # of the font size: from the middle of a line down to its baseline, and a line's box

# direction (x, y) of the label from its mark
_POSITIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_LINE_CROSSED = 5.0  # as bad as coming five positions later: a corner without a line is better than a side with one


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mark and the name it would like to show; an empty text wants none."""

    x: float
    y: float
    radius: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float  # of the baseline
    anchor: Anchor
    text: str
    bold: bool
    box: Box


def place(
    requested: Sequence[Wanted], order: Sequence[int], within: Box, size: float, lines: Sequence[Box] = ()
) -> list[Label | None]:
    """A label or None for each of `wanted`; those first in `order` choose first. `lines` had better not be crossed."""
    words = [text.shortened(label.text, size, within.width * 0.4, label.bold) for label in requested]
    candidates = _candidates(requested, words, size)
    usable = _inside(candidates, within) & ~_overlap(candidates, _marks(requested)).any(2)
    usable[[not word for word in words]] = False
    crossed = _overlap(candidates, np.array([(b.left, b.top, b.right, b.bottom) for b in lines]).reshape(-1, 4)).sum(2)
    preference = np.argsort(np.arange(len(_POSITIONS)) + _LINE_CROSSED * crossed, axis=1, kind="stable").tolist()
    boxes, free = np.round(candidates, 2).tolist(), usable.tolist()

    placed: list[Label | None] = [None] * len(requested)
    taken: list[Box] = []
    for index in order:
        for position in preference[index]:
            if not free[index][position]:
                continue
            box = Box(*boxes[index][position])
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                placed[index] = _label(box, _POSITIONS[position][0], words[index], requested[index].bold, size)
                break
    return placed


def _label(box: Box, side: int, words: str, bold: bool, size: float) -> Label:
    anchor: Anchor = ("middle", "start", "end")[side]
    x = {"start": box.left, "middle": (box.left + box.right) / 2, "end": box.right}[anchor]
    return Label(round(x, 1), round((box.top + box.bottom) / 2 + ASCENT * size, 1), anchor, words, bold, box)


def _candidates(requested: Sequence[Wanted], words: Sequence[str], size: float) -> Boxes:
    """[n, 8, 4]: the box of each label in each position."""
    mark = np.array([(label.x, label.y, label.radius + 1) for label in requested])[:, None, :]
    wide = np.array([text.width(line, size, label.bold) for line, label in zip(words, requested, strict=True)])[:, None]
    dx, dy = np.array(_POSITIONS).T
    # At a corner the circle is further away than its box.
    reach = mark[:, :, 2] + np.where((dx != 0) & (dy != 0), GAP / 2, GAP)
    left = mark[:, :, 0] + dx * reach + (dx - 1) / 2 * wide
    top = mark[:, :, 1] + dy * reach + (dy - 1) / 2 * HEIGHT * size
    return np.stack([left, top, left + wide, top + HEIGHT * size], axis=2)


def _marks(requested: Sequence[Wanted]) -> Boxes:
    x, y, r = np.array([(label.x, label.y, label.radius + 1) for label in requested]).T
    return np.stack([x - r, y - r, x + r, y + r], axis=1)


def _inside(boxes: Boxes, within: Box) -> Flags:
    inside: Flags = (
        (boxes[..., 0] >= within.left)
        & (boxes[..., 1] >= within.top)
        & (boxes[..., 2] <= within.right)
        & (boxes[..., 3] <= within.bottom)
    )
    return inside


def _overlap(boxes: Boxes, others: Boxes) -> Flags:
    """[..., len(others)]: which of the others each box shares some area with."""
    one = boxes[..., None, :]
    overlap: Flags = (
        (one[..., 0] < others[:, 2])
        & (others[:, 0] < one[..., 2])
        & (one[..., 1] < others[:, 3])
        & (others[:, 1] < one[..., 3])
    )
    return overlap
