"""Letters on pictures: every text in the first of a few typefaces that has its characters, shaped and in its order.

Manrope has Latin, Greek and Cyrillic letters; Noto has the Arabic and the East Asian ones. A character that none of
them has, as an emoji, is left out: an empty box says less than nothing.
"""

from __future__ import annotations

import functools
import importlib.resources
import unicodedata
from collections.abc import Sequence
from itertools import groupby

from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]
FACES: dict[str, tuple[str, str]] = {  # package and file
    "manrope": ("font_manrope", "files/Manrope-VariableFont_wght.ttf"),
    "arabic": ("fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf"),
    "cjk": ("cvttf_NotoSansCJK_Bold", "NotoSansCJKtc-Bold.otf"),  # Chinese, Japanese and Korean in one
}
_NO_CHARACTER = "\U0010ffff"


def draw_text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    fill: Colour,
    size: int,
    weight: int,
    *,
    end: bool = False,
) -> None:
    """From its left upper corner, or with `end` from its right one, on Manrope's baseline."""
    x, y = at
    parts = runs(text)
    if end:
        x -= length(text, size, weight)
    ascent = typeface("manrope", size, weight).getmetrics()[0]
    for face, part in parts:
        font = typeface(face, size, weight)
        draw.text((x, y + ascent), part, fill, font=font, anchor="ls")
        x += font.getlength(part)


def length(text: str, size: int, weight: int) -> float:
    """Pixels."""
    return sum(typeface(face, size, weight).getlength(part) for face, part in runs(text))


def shortened(text: str, width: float, size: int, weight: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if length(text, size, weight) <= width:
        return text
    while text and length(text + "…", size, weight) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def lines(text: str, width: float, size: int, weight: int, most: int = 2) -> list[str]:
    """At most so many lines, broken between words; the last one is shortened."""
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if length(longer, size, weight) <= width or not rows[-1]:
            rows[-1] = longer
        else:
            rows.append(word)
    rows = [*rows[: most - 1], " ".join(rows[most - 1 :])] if len(rows) > most else rows
    return [shortened(row, width, size, weight) for row in rows]


@functools.lru_cache(maxsize=4096)
def runs(text: str) -> Sequence[tuple[str, str]]:
    """(typeface, part) from left to right; a text that begins in a right-to-left script has its parts turned round."""
    faces: list[tuple[str, str]] = []
    last = "manrope"
    for character in unicodedata.normalize("NFC", text):
        if character.isspace() or unicodedata.combining(character):
            faces.append((last, character))
        elif face := next((face for face in FACES if _has(face, character)), None):
            last = face
            faces.append((face, character))
    parts = [(face, "".join(letter for _, letter in group)) for face, group in groupby(faces, key=lambda pair: pair[0])]
    parts = [piece for part in parts for piece in _spaced(*part)]
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return parts if first == "L" else parts[::-1]


def _spaced(face: str, part: str) -> list[tuple[str, str]]:
    """Spaces after words that run to the left would be drawn before them."""
    words = part.rstrip() if face == "arabic" else part
    return [pair for pair in ((face, words), ("manrope", part[len(words) :])) if pair[1]]


@functools.lru_cache(maxsize=8192)
def _has(face: str, character: str) -> bool:
    font = typeface(face, 24, 700)
    return bytes(font.getmask(character)) != bytes(font.getmask(_NO_CHARACTER))


@functools.lru_cache(maxsize=64)
def typeface(face: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    package, file = FACES[face]
    font = ImageFont.truetype(str(importlib.resources.files(package) / file), size)
    if face != "cjk":  # which has one weight
        axes = {"Weight": weight, "Width": 100}
        font.set_variation_by_axes([axes[axis["name"].decode()] for axis in font.get_variation_axes()])
    return font
