"""What all cards of 1200 × 630 pixels share: the ground, the site's mark, pictures with round corners, the file."""

from __future__ import annotations

import functools
import io

from django.conf import settings
from django.db.models import Count, Max
from PIL import Image, ImageChops, ImageDraw, ImageOps

from arena.models import Entry
from leaderboard.social_cards.lettering import Colour, draw_text, shortened

WIDTH, HEIGHT = 1200, 630
MARGIN = 60
GROUND: Colour = (11, 12, 18)
WHITE, SOFT, ACCENT, TRACK = (255, 255, 255), (160, 161, 178), (161, 148, 255), (33, 35, 48)
DIM: Colour = (94, 87, 158)  # an interval that is not among the first


def blank(right: str = "") -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A card with the site's mark and name, and at its right end what it is about."""
    card = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(card)
    paste_mark(card, MARGIN + 2, 59, 1.25)
    draw_text(draw, (MARGIN + 54, 56), shortened(settings.SITE_NAME, 480, 25, 700), WHITE, 25, 700)
    if right:
        draw_text(draw, (WIDTH - MARGIN, 58), shortened(right, 520, 23, 500), SOFT, 23, 500, end=True)
    return card, draw


def paste_mark(card: Image.Image, x: int, y: int, unit: float) -> None:
    """The two sheets of static/favicon.svg, 28 by 22 units, drawn at four times the size for smooth edges."""
    size = (round(28 * unit), round(22 * unit))

    def sheet(left: int, top: int) -> Image.Image:
        mask = Image.new("L", (size[0] * 4, size[1] * 4))
        corners = [value * unit * 4 for value in (left, top, left + 18, top + 18)]
        ImageDraw.Draw(mask).rounded_rectangle(corners, 5 * unit * 4, 255)
        return mask.resize(size, Image.Resampling.LANCZOS)

    one, other = sheet(0, 0), sheet(10, 4)
    for colour, mask in (("#4f39d8", one), ("#ff7a45", other), ("#14141f", ImageChops.multiply(one, other))):
        card.paste(Image.new("RGB", size, colour), (x, y), mask)


def taken_away() -> list[object]:
    """Changes when an image is taken away or brought back: part of every card's key, so that it is on none any more."""
    gone = Entry.objects.exclude(retired_at=None, hidden_at=None)
    return list(gone.aggregate(n=Count("pk"), retired=Max("retired_at"), hidden=Max("hidden_at")).values())


def picture(entry: Entry, width: int, height: int) -> Image.Image | None:
    """The entry's image cut to this size; None where its file is lost, which is reported where it is shown."""
    try:
        with entry.thumbnail.open("rb") as file, Image.open(file) as image:
            return ImageOps.fit(image.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    except OSError:
        return None


def paste_rounded(card: Image.Image, image: Image.Image, at: tuple[int, int], radius: int) -> None:
    card.paste(image, at, _corners(image.size, radius))


@functools.cache
def _corners(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 4 - 1, size[1] * 4 - 1), radius * 4, 255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def jpeg(card: Image.Image) -> bytes:
    out = io.BytesIO()
    card.save(out, "JPEG", quality=88)
    return out.getvalue()
