"""The picture that a shared ranking shows where its link is posted: 1200 × 630 pixels, in Manrope."""

from __future__ import annotations

import importlib.resources
import io

from PIL import Image, ImageDraw, ImageFont

from leaderboard.voter.rankings import RankedModel, Ranking

WIDTH, HEIGHT = 1200, 630
MARGIN = 64
ROWS = 5
BACKGROUND = ((14, 15, 24), (32, 26, 74))  # left to right
WHITE, SOFT, ACCENT, TRACK = (255, 255, 255), (166, 167, 190), (184, 174, 255), (58, 55, 96)
_FONT = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"


def draw(ranking: Ranking, site_name: str) -> bytes:
    """The card as a PNG: whose board it is, after how many votes, and its first five models with their intervals."""
    image = Image.linear_gradient("L").rotate(90).resize((WIDTH, HEIGHT))
    image = Image.composite(
        Image.new("RGB", image.size, BACKGROUND[1]), Image.new("RGB", image.size, BACKGROUND[0]), image
    )
    pen = ImageDraw.Draw(image)
    pen.text((MARGIN, 52), f"{site_name} · blind votes", ACCENT, _font(26, 500))
    title = f"My ranking: {ranking.category.name}"
    pen.text((MARGIN, 92), _fitting(pen, title, 54, WIDTH - 2 * MARGIN), WHITE, _font(54, 800))
    top = 192
    for row in ranking.places[:ROWS]:
        _row(pen, top, row, ranking)
        top += 72
    votes = f"{ranking.votes} vote{'' if ranking.votes == 1 else 's'} without seeing any name"
    others = len(ranking.places) - ROWS
    pen.text((MARGIN, 564), votes + (f" · {others} more models" if others > 1 else ""), SOFT, _font(24, 500))
    out = io.BytesIO()
    image.quantize(128, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue()


def _row(pen: ImageDraw.ImageDraw, top: int, row: RankedModel, ranking: Ranking) -> None:
    pen.text((MARGIN, top), row.place.bounds, ACCENT, _font(32, 800))
    name = _fitting(pen, row.image_model.name, 32, 440)
    pen.text((MARGIN + 96, top), name, WHITE, _font(32, 700))
    if row.image_model.is_sample:
        after = MARGIN + 96 + pen.textlength(name, _font(32, 700)) + 14
        pen.text((after, top + 11), "sample", SOFT, _font(20, 500))
    left, right, middle = 730, 980, top + 22

    def across(elo: float) -> float:
        return left + (right - left) * (elo - ranking.low) / max(ranking.high - ranking.low, 1)

    pen.line((left, middle, right, middle), TRACK, 3)
    pen.rounded_rectangle((across(row.lower), middle - 6, across(row.upper), middle + 6), 6, (105, 92, 190))
    at = across(row.elo)
    pen.ellipse((at - 9, middle - 9, at + 9, middle + 9), ACCENT)
    elo = f"{row.elo:.0f}"
    pen.text((1000, top), elo, WHITE, _font(32, 700))
    pen.text((1000 + pen.textlength(elo, _font(32, 700)) + 8, top + 8), f"±{row.half_width:.0f}", SOFT, _font(22, 500))


def _fitting(pen: ImageDraw.ImageDraw, text: str, size: int, width: float) -> str:
    """The text, cut with an ellipsis where it is too wide."""
    font = _font(size, 800)
    while pen.textlength(text, font) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(_FONT), size)
    font.set_variation_by_axes([weight])
    return font
