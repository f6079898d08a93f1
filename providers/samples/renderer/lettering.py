"""Typography in Manrope: breaking, fitting and setting words, neatly or by a chalky hand.

Manrope is the only typeface here because it comes as a package the site needs anyway. Handwriting is made from its
lightest cut, a nearly even stroke, with every letter turned, scaled and moved a little, as a hand would.
"""

from __future__ import annotations

import functools
import io
import itertools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Box = tuple[float, float, float, float]
_REFERENCE = 100


@dataclass(frozen=True)
class Hand:
    """How much a writing hand strays. Zeroes are print."""

    turn: float = 0.0  # radians per letter
    scale: float = 0.0
    drift: float = 0.0  # of the baseline, in letter heights
    slant: float = 0.0


PRINT = Hand()


@dataclass(frozen=True)
class Line:
    text: str
    size: int
    x: float
    baseline: float


@dataclass(frozen=True)
class Setting:
    """Lines in their places, in pixels."""

    lines: tuple[Line, ...]
    weight: str
    tracking: float  # between letters, in parts of the size


@functools.lru_cache(maxsize=8)
def _file(weight: str) -> bytes:
    return resources.files("font_manrope").joinpath("files", f"Manrope-{weight}.ttf").read_bytes()


@functools.lru_cache(maxsize=256)
def face(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(_file(weight)), size, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=2048)
def _has(character: str) -> bool:
    """Whether Manrope knows the character; if not it would print a box, which looks like a fault in the model."""
    if character.isspace():
        return True
    font = face("Medium", 32)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def printable(text: str) -> str:
    return " ".join("".join(character for character in text if _has(character)).split())


@functools.lru_cache(maxsize=4096)
def measure(text: str, weight: str, tracking: float) -> float:
    """Width at the reference size, in parts of the size."""
    return face(weight, _REFERENCE).getlength(text) / _REFERENCE + tracking * max(0, len(text) - 1)


def _glued(words: list[str]) -> list[str]:
    """A dash never begins a line – unless a price follows it, which then stays with its dash."""
    out: list[str] = []
    for i, word in enumerate(words):
        follows = words[i + 1] if i + 1 < len(words) else ""
        dash = word in ("–", "—", "-", "&", "•") and not (follows and follows[0] in "€$£¥")
        if out and (dash or out[-1] in ("–", "—", "-")):
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out


def fit(
    text: str,
    box: Box,
    weight: str = "ExtraBold",
    *,
    tracking: float = 0.0,
    most_lines: int = 3,
    leading: float = 1.08,
    justify: bool = False,
    align: str = "center",
    largest: float = 1e9,
) -> Setting:
    """The largest setting of the text inside the box. `justify` gives each line its own size: all become as wide."""
    x0, y0, x1, y1 = box
    width, height = max(4.0, x1 - x0), max(4.0, y1 - y0)
    words = _glued(printable(text).split()) or [" "]
    best: tuple[float, list[tuple[str, float]]] | None = None
    for count in range(1, min(most_lines, len(words)) + 1):
        broken = _break(words, count, weight, tracking)
        lengths = [max(0.2, measure(line, weight, tracking)) for line in broken]
        even = min(largest, width / max(lengths), height / (leading * count))
        sizes = [even] * count
        if justify and count > 1:
            ideal = [min(width / length, even * 2.4) for length in lengths]
            squeeze = min(1.0, height / (leading * sum(ideal)))
            sizes = [size * squeeze for size in ideal]
        score = sum(size * size * length for size, length in zip(sizes, lengths, strict=True))
        if best is None or score > best[0] * 1.04:
            best = (score, list(zip(broken, sizes, strict=True)))
    assert best is not None
    return _place(best[1], box, weight, tracking, leading, align)


def _place(
    lines: list[tuple[str, float]], box: Box, weight: str, tracking: float, leading: float, align: str
) -> Setting:
    x0, y0, x1, y1 = box
    total = sum(size * leading for _, size in lines)
    y = y0 + (y1 - y0 - total) / 2
    placed = []
    for text, size in lines:
        whole = max(5, int(size))
        free = (x1 - x0) - measure(text, weight, tracking) * whole
        x = x0 + (0.0 if align == "left" else free if align == "right" else free / 2)
        placed.append(Line(text, whole, x, y + size * leading * 0.5 + whole * 0.36))
        y += size * leading
    return Setting(tuple(placed), weight, tracking)


def _break(words: list[str], count: int, weight: str, tracking: float) -> list[str]:
    """Into `count` lines whose longest is shortest."""
    if count == 1:
        return [" ".join(words)]
    if len(words) > 12:  # long texts: greedy is good enough
        target = measure(" ".join(words), weight, tracking) / count * 1.06
        lines: list[str] = [""]
        for word in words:
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and measure(longer, weight, tracking) > target and len(lines) < count:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines
    cuts = itertools.combinations(range(1, len(words)), count - 1)
    options = [[" ".join(words[a:b]) for a, b in itertools.pairwise((0, *cut, len(words)))] for cut in cuts]
    return min(options, key=lambda lines: max(measure(line, weight, tracking) for line in lines))


def mask(
    setting: Setting, size: tuple[int, int], hand: Hand = PRINT, rng: np.random.Generator | None = None
) -> Image.Image:
    """The letters as coverage on a canvas of this size."""
    canvas = Image.new("L", size)
    draw = ImageDraw.Draw(canvas)
    for line in setting.lines:
        font = face(setting.weight, line.size)
        if hand == PRINT and not setting.tracking:
            draw.text((line.x, line.baseline), line.text, font=font, fill=255, anchor="ls")
            continue
        wave = rng.uniform(0, 6.28) if rng is not None else 0.0
        for i, character in enumerate(line.text):
            if character == " ":
                continue
            kerned = font.getlength(line.text[: i + 1]) - font.getlength(character)
            x = line.x + kerned + setting.tracking * line.size * i
            if hand == PRINT or rng is None:
                draw.text((x, line.baseline), character, font=font, fill=255, anchor="ls")
                continue
            drift = hand.drift * line.size * (0.6 * np.sin(i * 0.45 + wave) + 0.4 * rng.normal())
            _write(canvas, character, font, line.size, x, line.baseline + drift, hand, rng)
    return canvas


def _write(
    canvas: Image.Image,
    character: str,
    font: ImageFont.FreeTypeFont,
    size: int,
    x: float,
    y: float,
    hand: Hand,
    rng: np.random.Generator,
) -> None:
    """One letter by hand: an affine map around its own baseline."""
    side = int(size * 1.7) + 6
    tile = Image.new("L", (side, side))
    ox, oy = side * 0.25, side * 0.68
    ImageDraw.Draw(tile).text((ox, oy), character, font=font, fill=255, anchor="ls")
    turn, scale = rng.normal(0, hand.turn), 1 / (1 + rng.normal(0, hand.scale))
    c, s = float(np.cos(turn)) * scale, float(np.sin(turn)) * scale
    slant = hand.slant * (1 + rng.normal(0, 0.15))
    a, b, d, e = c, s + slant, -s, c
    tile = tile.transform(
        tile.size,
        Image.Transform.AFFINE,
        (a, b, ox - a * ox - b * oy, d, e, oy - d * ox - e * oy),
        Image.Resampling.BICUBIC,
    )
    at = (round(x - ox), round(y - oy))
    canvas.paste(255, (at[0], at[1], at[0] + side, at[1] + side), tile)


def garbled(text: str, rng: np.random.Generator, share: float) -> str:
    """The text as a model writes that never learned to spell."""
    lookalike = str.maketrans(
        "AEIOUBCDGHKLMNPRSTVWXYZaeioubcdghklmnprstvwyz0123456789",
        "ÆFLQVRGOCNXIWMRDZIYMKVSoulaldabebniwmqnzfuvvs67Z5298134",
    )
    out: list[str] = []
    for character in text:
        roll = rng.random()
        if character.isspace() or roll > share:
            out.append(character)
        elif roll < share * 0.5:
            out.append(character.translate(lookalike))
        elif roll < share * 0.7:
            out.append(character * 2)
        elif roll < share * 0.88 and out and not out[-1].isspace():
            out.insert(len(out) - 1, character)
    return "".join(out)
