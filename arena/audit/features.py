"""What of a side is not picture content, as features for guessing its model.

Pure. Each group is tested by itself, so that a failed audit can say what betrays, and once more all together.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from arena.battle_ids import MONTH
from providers.transfer import metadata

from .classifier import Features, Number, Value
from .markup import sides as halves
from .observed import Shown, ShownSide


@dataclass(frozen=True, slots=True)
class Group:
    """One kind. `fresh`: drawn afresh for each battle, so each battle counts. `counts`: fails the audit."""

    name: str
    read: Callable[[Shown, ShownSide], Features]
    fresh: bool = False
    counts: bool = True


def place(shown: Shown, side: ShownSide) -> Features:
    """Sides are randomised."""
    return {"place": side.place}


def image_url(shown: Shown, side: ShownSide) -> Features:
    """A token is its battle's month and random characters: neither its length nor any of them belong to a model."""
    month, random = side.token[:MONTH], side.token[MONTH:]
    ends = {"start": random[:2], "first": random[:1], "last": random[-1:]}
    return {"length": str(len(side.token)), "month": month, **ends}


def manner(shown: Shown, side: ShownSide) -> Features:
    """Status, protocol and headers of every answer about this side."""
    answers = {**side.pictures, **side.probes}
    return {name: "\n".join(answer.manner) for name, answer in answers.items()}


def container(shown: Shown, side: ShownSide) -> Features:
    """Which chunks a file has, its encoder's profile, its pixels across and down, its mode."""
    features: dict[str, Value] = {}
    for name, answer in side.pictures.items():
        blocks = metadata.blocks(answer.body)
        features[f"{name} blocks"] = " ".join(block.name for block in blocks)
        features[f"{name} profile"] = str(blocks[0].data[0] & 0x1F) if blocks and blocks[0].data else "none"
        features[f"{name} pixels"] = pixels(answer.body)
    return features


def pixels(data: bytes) -> str:
    """Format, mode and size as Pillow reads them: “WEBP RGB 1024×1024”; “no image” for anything else."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return f"{image.format} {image.mode} {image.width}×{image.height}"
    except Exception:  # not an image at all: that, too, is a value
        return "no image"


def encoding(shown: Shown, side: ShownSide) -> Features:
    """Bytes more or fewer than today's pipeline makes of the same pixels: what size says that content does not."""
    features: dict[str, Value] = {}
    for name, reference in side.references.items():
        answer = side.pictures[name]
        if answer.sha256 == reference.sha256:
            features[name] = "as made today"
        else:
            features[name] = "otherwise"
            features[f"{name} size"] = Number(len(answer.body) / max(1, reference.size))
    return features


def timing(shown: Shown, side: ShownSide) -> Features:
    """Seconds to the first byte: of the first request, and of the quickest of the next.

    What comes after the first byte is a matter of size, which is picture content; and what little the size of the
    content adds to the time before it is taken away.
    """
    large = side.pictures["large"]
    size = float(side.references["large"].size) if "large" in side.references else 0.0
    features: dict[str, Value] = {"first": Number(large.first, size)}
    if side.again:
        features["again"] = Number(min(answer.first for answer in side.again), size)
    return features


def markup(shown: Shown, side: ShownSide) -> Features:
    """Elements and attributes of this side, masked."""
    left, right = halves(shown.page.body.decode("utf-8", "replace"), shown.left.token, shown.right.token)
    return {"markup": "\n".join(left if side.place == "left" else right)}


def sizes(shown: Shown, side: ShownSide) -> Features:
    """Bytes of the files as received: picture content, as long as `encoding` finds nothing."""
    return {name: Number(len(answer.body)) for name, answer in side.pictures.items()}


def everything(shown: Shown, side: ShownSide) -> Features:
    """The features of all groups that count, each under “group: name”."""
    return {
        f"{group.name}: {name}": value
        for group in GROUPS
        if group.counts and group.read is not everything
        for name, value in group.read(shown, side).items()
    }


GROUPS = (
    Group("side of the screen", place, fresh=True),
    Group("image URL", image_url, fresh=True),
    Group("answers and headers", manner),
    Group("file format and pixels", container),
    Group("encoding beyond content", encoding),
    Group("time to answer", timing),
    Group("markup", markup),
    Group("all of these together", everything),
    Group("file size (picture content)", sizes, counts=False),
)


def read(group: Group, shown: Shown) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    return group.read(shown, shown.left), group.read(shown, shown.right)
