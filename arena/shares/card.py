"""The picture that a shared pair or round shows where its link is posted: its images without names, and one question.

1200 × 630 pixels, in Manrope. Images and names together would unmask prompts that are still asked about.
"""

from __future__ import annotations

import importlib.resources
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN, GAP = 1200, 630, 56, 16
ROOM = 320  # px of height for the images
PAGE, INK, SOFT, WARN, WARN_TINT = (248, 248, 252), (20, 20, 31), (92, 92, 110), (138, 82, 0), (255, 244, 221)
_FONT = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"


def draw(
    pictures: Sequence[bytes], *, site_name: str, is_demo: bool, question: str = "I chose. Which would you?"
) -> bytes:
    """The card as a JPEG, from two images of a pair or the chosen ones of a round, encoded in any format."""
    card = Image.new("RGB", (WIDTH, HEIGHT), PAGE)
    pen = ImageDraw.Draw(card)
    pen.text((MARGIN, 44), site_name, INK, _font(28, 800))
    if is_demo:
        words = "Demo: sample images"
        left = WIDTH - MARGIN - pen.textlength(words, _font(22, 700)) - 28
        pen.rounded_rectangle((left, 40, WIDTH - MARGIN, 86), 12, WARN_TINT)
        pen.text((left + 14, 48), words, WARN, _font(22, 700))
    pen.text((MARGIN, 98), question, INK, _font(56, 800))
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in pictures]
    ratios = [image.width / image.height for image in images]
    room = WIDTH - 2 * MARGIN - GAP * (len(images) - 1)
    height = min(ROOM, int(room / sum(ratios))) if images else 0
    left, top = MARGIN, 200 + (ROOM - height) // 2
    for image, ratio in zip(images, ratios, strict=True):
        size = (round(height * ratio), height)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 18, 255)
        card.paste(image.resize(size, Image.Resampling.LANCZOS), (left, top), mask)
        left += size[0] + GAP
    pairs = "Two images, no names before you vote" if len(images) < 3 else "Five pairs, no names before you vote"
    pen.text((MARGIN, 548), pairs, SOFT, _font(28, 600))
    out = io.BytesIO()
    card.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()


def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(_FONT), size)
    font.set_variation_by_axes([weight])
    return font
