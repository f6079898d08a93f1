"""The picture that a shared ranking shows where its link is posted: 1200 × 630 pixels, in Manrope."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from leaderboard.social_cards.lettering import draw_text, length, shortened
from leaderboard.voter.rankings import RankedModel, Ranking

WIDTH, HEIGHT = 1200, 630
MARGIN = 64
ROWS = 5
BACKGROUND = ((14, 15, 24), (32, 26, 74))  # left to right
WHITE, SOFT, ACCENT, TRACK = (255, 255, 255), (166, 167, 190), (184, 174, 255), (58, 55, 96)


def draw(ranking: Ranking, site_name: str) -> bytes:
    """The card as a PNG: whose board it is, after how many votes, and its first five models with their intervals."""
    image = Image.linear_gradient("L").rotate(90).resize((WIDTH, HEIGHT))
    image = Image.composite(
        Image.new("RGB", image.size, BACKGROUND[1]), Image.new("RGB", image.size, BACKGROUND[0]), image
    )
    pen = ImageDraw.Draw(image)
    draw_text(pen, (MARGIN, 52), f"{site_name} · blind votes", ACCENT, 26, 500)
    title = f"My ranking: {ranking.category.name}"
    draw_text(pen, (MARGIN, 92), shortened(title, WIDTH - 2 * MARGIN, 54, 800), WHITE, 54, 800)
    top = 192
    for row in ranking.places[:ROWS]:
        _row(pen, top, row, ranking)
        top += 72
    votes = f"{ranking.votes} vote{'' if ranking.votes == 1 else 's'} without seeing any name"
    others = len(ranking.places) - ROWS
    draw_text(pen, (MARGIN, 564), votes + (f" · {others} more models" if others > 1 else ""), SOFT, 24, 500)
    out = io.BytesIO()
    image.quantize(128, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue()


def _row(pen: ImageDraw.ImageDraw, top: int, row: RankedModel, ranking: Ranking) -> None:
    draw_text(pen, (MARGIN, top), row.place.bounds, ACCENT, 32, 800)
    name = shortened(row.image_model.name, 440, 32, 700)
    draw_text(pen, (MARGIN + 96, top), name, WHITE, 32, 700)
    if row.image_model.is_sample:
        after = MARGIN + 96 + length(name, 32, 700) + 14
        draw_text(pen, (after, top + 11), "sample", SOFT, 20, 500)
    left, right, middle = 730, 980, top + 22

    def across(elo: float) -> float:
        return left + (right - left) * (elo - ranking.low) / max(ranking.high - ranking.low, 1)

    pen.line((left, middle, right, middle), TRACK, 3)
    pen.rounded_rectangle((across(row.lower), middle - 6, across(row.upper), middle + 6), 6, (105, 92, 190))
    at = across(row.elo)
    pen.ellipse((at - 9, middle - 9, at + 9, middle + 9), ACCENT)
    elo = f"{row.elo:.0f}"
    draw_text(pen, (1000, top), elo, WHITE, 32, 700)
    draw_text(pen, (1000 + length(elo, 32, 700) + 8, top + 8), f"±{row.half_width:.0f}", SOFT, 22, 500)
