"""How wide a text is in Manrope, the typeface of the pages, so that labels can be placed on the server."""

from __future__ import annotations

import functools
import importlib.resources
import unicodedata

from PIL import ImageFont

_UNITS = 200  # pixels per em while measuring: large enough for a hundredth of an em
_SPARE = 1.03  # digits are set as wide as each other, and a browser without the font yet uses a stand-in
ELLIPSIS = "…"


def width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text at a font size, in the same unit."""
    return sum(_advance(character, bold) for character in text) * size * _SPARE


def shortened(text: str, size: float, most: float, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits into `most`, with an ellipsis."""
    text = " ".join(text.split())
    if width(text, size, bold) <= most:
        return text
    room, used, fitting = most / size / _SPARE - _advance(ELLIPSIS, bold), 0.0, 0
    for character in text:
        used += _advance(character, bold)
        if used > room:
            break
        fitting += 1
    return text[:fitting].rstrip() + ELLIPSIS


@functools.lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    """Of one character in em. Kerning is left out: it makes words narrower, so that boxes only err on the safe side."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0  # not in Manrope: the browser takes another font, whose wide characters fill an em
    return float(_font(bold).getlength(character)) / _UNITS


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    path = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"
    font = ImageFont.truetype(str(path), _UNITS, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([700 if bold else 500])
    return font
