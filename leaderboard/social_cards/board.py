"""The picture that a link to a board shows where it is shared: its first five models with their intervals. And that of
all pages without one of their own.

Drawn on request, cached under the board's version; the URL carries that version too.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from PIL import Image, ImageChops, ImageDraw

from arena.models import Category
from leaderboard.board import standings
from leaderboard.board.standings import Standing
from leaderboard.board_page import rows, verdicts
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.social_cards.model import ACCENT, HEIGHT, MARGIN, SOFT, WHITE, WIDTH, backdrop, shortened, typeface

ROWS = 5
_NAMES, _BARS = 620, (700, 990)  # where the names end; from where to where the intervals are drawn


def address(category: Category) -> str:
    """With a version: sites cache the picture of a URL for ever."""
    stamp = hashlib.sha256(repr(version(category)).encode()).hexdigest()[:12]
    return f"{reverse('leaderboard:category-card', args=[category.slug])}?v={stamp}"


def of_category(category: Category, host: str) -> bytes:
    return get_or_compute(
        "board card", version(category), category.name, host, seconds=60 * MINUTE, compute=lambda: _draw(category, host)
    )


def of_site(host: str) -> bytes:
    return get_or_compute("site card", settings.SITE_NAME, host, seconds=60 * MINUTE, compute=lambda: _draw_site(host))


def _draw_site(host: str) -> bytes:
    card = backdrop()
    draw = ImageDraw.Draw(card)
    draw.text((MARGIN, 84), shortened(settings.SITE_NAME, WIDTH - 2 * MARGIN, 34, 700), ACCENT, font=typeface(34, 700))
    for index, line in enumerate(("Two images,", "one prompt,", "no names.")):
        draw.text((MARGIN, 150 + index * 100), line, WHITE, font=typeface(92, 800))
    draw.text((MARGIN, 490), "AI image models, rated by blind votes", SOFT, font=typeface(34, 500))
    draw.text((MARGIN, HEIGHT - 68), shortened(host, WIDTH - 2 * MARGIN, 25, 500), SOFT, font=typeface(25, 500))
    _paste_mark(card, WIDTH - MARGIN - 420, 100, 14)
    return _jpeg(card)


def _paste_mark(card: Image.Image, x: int, y: int, unit: int) -> None:
    """The two sheets of static/favicon.svg, 28 by 22 units, drawn at thrice the size for smooth edges."""
    size = (28 * unit, 22 * unit)

    def sheet(left: int, top: int) -> Image.Image:
        mask = Image.new("L", (size[0] * 3, size[1] * 3))
        corners = [value * unit * 3 for value in (left, top, left + 18, top + 18)]
        ImageDraw.Draw(mask).rounded_rectangle(corners, 5 * unit * 3, 255)
        return mask.resize(size, Image.Resampling.LANCZOS)

    one, other = sheet(0, 0), sheet(10, 4)
    for colour, mask in (("#4f39d8", one), ("#ff7a45", other), ("#14141f", ImageChops.multiply(one, other))):
        card.paste(Image.new("RGB", size, colour), (x, y), mask)


def _jpeg(card: Image.Image) -> bytes:
    out = io.BytesIO()
    card.save(out, "JPEG", quality=88)
    return out.getvalue()


def _draw(category: Category, host: str) -> bytes:
    board = [standing for standing in standings.board(category) if standing.half_width is not None]
    card = backdrop()
    draw = ImageDraw.Draw(card)
    claim = verdicts.of_board(rows.rows(board, category.mode, {}), getattr(category, "board", None)).claim
    draw.text((MARGIN, 56), shortened(claim, WIDTH - 2 * MARGIN, 28, 600), ACCENT, font=typeface(28, 600))
    draw.text((MARGIN, 96), shortened(category.name, WIDTH - 2 * MARGIN, 64, 800), WHITE, font=typeface(64, 800))
    if board:
        _rows(draw, board[:ROWS])
    else:
        draw.text((MARGIN, 260), "No ratings yet", SOFT, font=typeface(40, 600))
    total = getattr(getattr(category, "board", None), "votes", 0)
    foot = f"{len(board)} models · {total:,} votes · {host}{category.get_absolute_url()}"
    draw.text((MARGIN, HEIGHT - 68), shortened(foot, WIDTH - 2 * MARGIN, 25, 500), SOFT, font=typeface(25, 500))
    return _jpeg(card)


def _rows(draw: ImageDraw.ImageDraw, board: Sequence[Standing]) -> None:
    low = min(standing.rating.lower for standing in board)
    span = max(max(standing.rating.upper for standing in board) - low, 1e-9)
    left, right = _BARS

    def at(elo: float) -> float:
        return left + (elo - low) / span * (right - left)

    for index, standing in enumerate(board):
        rating, y = standing.rating, 206 + index * 66
        model = rating.image_model
        name = f"{model.name} (sample)" if model.is_sample else model.name
        draw.text((MARGIN, y + 4), standing.place.bounds, SOFT, font=typeface(28, 800))
        draw.text((MARGIN + 96, y), shortened(name, _NAMES - MARGIN - 96, 34, 700), WHITE, font=typeface(34, 700))
        draw.rounded_rectangle((left, y + 22, right, y + 24), 1, (52, 50, 84))
        draw.rounded_rectangle((at(rating.lower), y + 16, at(rating.upper), y + 30), 7, (110, 98, 200))
        point = at(rating.elo)
        draw.ellipse((point - 8, y + 15, point + 8, y + 31), ACCENT)
        elo = f"{rating.elo:.0f}"
        draw.text((right + 34, y), elo, WHITE, font=typeface(34, 800))
        half = f"±{max(rating.upper - rating.elo, rating.elo - rating.lower):.0f}"
        draw.text((right + 44 + typeface(34, 800).getlength(elo), y + 9), half, SOFT, font=typeface(24, 500))
