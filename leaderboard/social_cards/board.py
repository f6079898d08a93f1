"""The picture that a link to a board shows where it is shared: the verdict over five intervals, or, while it is too
early, over one prompt as every model answered it. And that of all pages without one of their own.

Drawn on request, cached under the board's version; the URL carries that version too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db.models import Count, Q
from django.urls import reverse
from PIL import Image, ImageDraw

from arena.models import Category, Competition, Entry, Prompt
from leaderboard.board import standings
from leaderboard.board.standings import Standing
from leaderboard.board_page import pictures, rows, verdicts
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.social_cards import canvas
from leaderboard.social_cards.canvas import ACCENT, HEIGHT, MARGIN, SOFT, TRACK, WHITE, WIDTH
from leaderboard.social_cards.lettering import draw_text, lines, shortened

ROWS = 5
_BARS = (500, 960)  # from where to where the intervals are drawn
MOST_ANSWERED = 24  # prompts from which the one with the best shape is taken
_TILES = (4, 2)  # columns and rows of images


def address(category: Category) -> str:
    """With a version: sites cache the picture of a URL for ever."""
    stamp = hashlib.sha256(repr(version(category)).encode()).hexdigest()[:12]
    return f"{reverse('leaderboard:category-card', args=[category.slug])}?v={stamp}"


def of_category(category: Category, host: str) -> bytes:
    return get_or_compute(
        "board card",
        version(category),
        category.name,
        host,
        canvas.taken_away(),
        seconds=60 * MINUTE,
        compute=lambda: _draw(category, host),
    )


def of_site(host: str) -> bytes:
    return get_or_compute(
        "site card",
        settings.SITE_NAME,
        host,
        canvas.taken_away(),
        seconds=60 * MINUTE,
        compute=lambda: _draw_site(host),
    )


def _draw_site(host: str) -> bytes:
    card, draw = canvas.blank(host)
    tiles = _images_of_one_prompt(None)[:2]
    for index, image in enumerate(tiles):
        canvas.paste_rounded(card, image.resize((250, 250)), (WIDTH - MARGIN - 250, 110 + index * 262), 14)
    if not tiles:
        canvas.paste_mark(card, WIDTH - MARGIN - 420, 150, 14)
    for index, line in enumerate(("Two images,", "one prompt,", "no names.")):
        draw_text(draw, (MARGIN, 140 + index * 100), line, WHITE, 88, 800)
    draw_text(draw, (MARGIN, HEIGHT - 92), "AI image models, rated by blind votes", SOFT, 28, 500)
    return canvas.jpeg(card)


def _draw(category: Category, host: str) -> bytes:
    standing_rows = standings.board(category)
    board = [standing for standing in standing_rows if standing.half_width is not None]
    count = f"{len(board)} model{'' if len(board) == 1 else 's'}"
    card, draw = canvas.blank(f"{category.name} · {count}" if board else category.name)
    verdict = verdicts.of_board(rows.rows(standing_rows, category.mode, {}), getattr(category, "board", None))
    head = lines(verdict.claim, WIDTH - 2 * MARGIN, 50, 800)
    for index, line in enumerate(head):
        draw_text(draw, (MARGIN, (108 if len(head) > 1 else 128) + index * 58), line, WHITE, 50, 800)
    tied = bool(board) and all(standing.place.is_tied_with_all for standing in board)
    tiles = _images_of_one_prompt(category) if tied else []
    if tiles:
        _grid(card, tiles)
    elif board:
        best = pictures.of_models(category, [standing.rating.image_model_id for standing in board[:ROWS]])
        images = {model: canvas.picture(rated[0].entry, 50, 50) for model, rated in best.items() if rated}
        _rows(card, draw, board[:ROWS], images)
    total = getattr(getattr(category, "board", None), "votes", 0)
    samples = bool(board) and all(standing.rating.image_model.is_sample for standing in board)
    start = "Sample models, drawn by this site: " if samples else ""
    foot = f"{start}{total:,} blind votes" + (
        f". {verdict.value}" if tied and verdict.value else "; bars are 95 % intervals"
    )
    computed = getattr(getattr(category, "board", None), "computed_at", None)
    day = f"{computed:%-d %B %Y}" if computed else host
    draw_text(draw, (MARGIN, HEIGHT - 80), shortened(foot if board else host, 780, 21, 500), SOFT, 21, 500)
    draw_text(draw, (WIDTH - MARGIN, HEIGHT - 80), day, SOFT, 21, 500, end=True)
    return canvas.jpeg(card)


def _images_of_one_prompt(category: Category | None) -> list[Image.Image]:
    """The prompt that most models answered, as all of them did; landscapes before posters, which are cropped badly."""
    shown = Q(entries__retired_at=None, entries__hidden_at=None, entries__generation__sample=0)
    prompts = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    prompts = prompts.filter(competition__category=category) if category else prompts
    counted = prompts.annotate(answers=Count("entries", filter=shown)).filter(answers__gte=2)
    most = counted.order_by("-answers", "pk").select_related("competition")[:MOST_ANSWERED]
    shapes = {"4:3": 0, "3:2": 0, "16:9": 0, "1:1": 1}
    prompt = min(most, key=lambda prompt: shapes.get(prompt.competition.shape, 2), default=None)
    if prompt is None:
        return []
    entries = (
        Entry.objects.current()
        .filter(prompt=prompt, generation__sample=0)
        .select_related("image_model", "call__offering")
        .order_by("image_model__name")
    )
    honest = [entry for entry in entries if not entry.is_simulated][: _TILES[0] * _TILES[1]]
    images = [canvas.picture(entry, *_tile()) for entry in honest]
    return [image for image in images if image is not None]


def _tile() -> tuple[int, int]:
    return (WIDTH - 2 * MARGIN - 8 * (_TILES[0] - 1)) // _TILES[0], 140


def _grid(card: Image.Image, tiles: Sequence[Image.Image]) -> None:
    width, height = _tile()
    for index, image in enumerate(tiles):
        x, y = MARGIN + index % _TILES[0] * (width + 8), 224 + index // _TILES[0] * (height + 8)
        canvas.paste_rounded(card, image, (x, y), 10)


def _rows(
    card: Image.Image,
    draw: ImageDraw.ImageDraw,
    board: Sequence[Standing],
    images: Mapping[int, Image.Image | None],
) -> None:
    low = min(standing.rating.lower for standing in board)
    span = max(max(standing.rating.upper for standing in board) - low, 1e-9)
    left, right = _BARS

    def at(elo: float) -> float:
        return left + (elo - low) / span * (right - left)

    for index, standing in enumerate(board):
        rating, y = standing.rating, 246 + index * 59
        model = rating.image_model
        if image := images.get(model.pk):
            canvas.paste_rounded(card, image, (MARGIN, y), 10)
        start = MARGIN + 68
        place = standing.place.bounds
        draw_text(draw, (start, y + 9), place, SOFT, 21, 750)
        draw_text(draw, (start + 62, y + 7), shortened(model.name, left - start - 78, 24, 700), WHITE, 24, 700)
        could = standing.place.could_be_first
        draw.rounded_rectangle((left, y + 23, right, y + 26), 1, TRACK)
        draw.rounded_rectangle(
            (at(rating.lower), y + 15, at(rating.upper), y + 34), 6, ACCENT if could else (94, 87, 158)
        )
        point = at(rating.elo)
        draw.rounded_rectangle((point - 2, y + 10, point + 2, y + 39), 2, WHITE)
        half = f"±{max(rating.upper - rating.elo, rating.elo - rating.lower):.0f}"
        draw_text(draw, (WIDTH - MARGIN, y + 10), half, SOFT, 22, 500, end=True)
        draw_text(draw, (WIDTH - MARGIN - 62, y + 7), f"{rating.elo:.0f}", WHITE, 24, 750, end=True)
