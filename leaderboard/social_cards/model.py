"""Cards of 1200 × 630 pixels that links to a model show where they are shared: its name, places, price and two images.

Drawn once for each board and cached; the URL carries the version, so a client with an old card requests the new one.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from arena.models import Competition, Entry
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating
from leaderboard.profiles import model, offerings
from providers.models import ImageModel
from providers.offering.pricing import usd

WIDTH, HEIGHT = 1200, 630
MARGIN = 64
_TOP, _BOTTOM = (13, 14, 20), (32, 24, 74)
WHITE, SOFT, ACCENT = (255, 255, 255), (165, 167, 186), (178, 168, 255)
_PICTURE = 262


def address(image_model: ImageModel, places: Sequence[Standing]) -> str:
    """With a version, because sites cache the picture of a URL for ever."""
    return f"{image_model.get_absolute_url()}card.jpg?v={_stamp(places)}"


def of_model(image_model: ImageModel, host: str) -> bytes:
    """The model's card as a PNG, cached for an hour or until its places change."""
    places = model.places_of(image_model)
    return get_or_compute(
        "card",
        image_model.pk,
        host,
        _stamp(places),
        seconds=60 * MINUTE,
        compute=lambda: _draw(image_model, places, host),
    )


def _stamp(places: Sequence[Standing]) -> str:
    """Of all boards the model is on: a card is redrawn when one of them is."""
    versions = [version(standing.rating.category) for standing in places]
    return hashlib.sha256(repr(versions).encode()).hexdigest()[:12]


def _draw(image_model: ImageModel, places: Sequence[Standing], host: str) -> bytes:
    card = backdrop()
    draw = ImageDraw.Draw(card)
    pictures = _pictures(image_model)
    text_width = WIDTH - 2 * MARGIN - (len(pictures) * (_PICTURE + 18) + 30 if pictures else 0)
    lab = image_model.lab.name if image_model.lab else "AI image model"
    draw.text((MARGIN, 84), shortened(lab, text_width, 30, 600), ACCENT, font=typeface(30, 600))
    y = 132
    for line in _lines(image_model.name, text_width):
        draw.text((MARGIN, y), line, WHITE, font=typeface(72, 800))
        y += 84
    if image_model.origin != ImageModel.Origin.CATALOG:
        word = "Sample model: drawn by this site" if image_model.is_sample else "Known from imported votes"
        draw.text((MARGIN, y + 18), word, SOFT, font=typeface(26, 500))
    for index, picture in enumerate(pictures):
        card.paste(picture, (WIDTH - MARGIN + 36 - (len(pictures) - index) * (_PICTURE + 18) + 18, 90), _rounded())
    x = float(MARGIN)
    for title, value in _facts(image_model, places):
        draw.text((x, 430), title, SOFT, font=typeface(26, 500))
        draw.text((x, 464), value, WHITE, font=typeface(46, 800))
        x += max(draw.textlength(title, typeface(26, 500)), draw.textlength(value, typeface(46, 800))) + 60
    votes = sum(standing.rating.votes for standing in places)
    foot = (
        f"{votes:,} votes · {host}{image_model.get_absolute_url()}"
        if votes
        else f"{host}{image_model.get_absolute_url()}"
    )
    draw.text((MARGIN, 562), shortened(foot, WIDTH - 2 * MARGIN, 25, 500), SOFT, font=typeface(25, 500))
    out = io.BytesIO()
    card.save(out, "JPEG", quality=88)
    return out.getvalue()


def _facts(image_model: ImageModel, places: Sequence[Standing]) -> list[tuple[str, str]]:
    """At most three, the best known first; nothing is made up for a model that has none."""
    facts = []
    bounded = [standing for standing in places if standing.half_width is not None]
    if bounded:
        rating: Rating = bounded[0].rating  # type: ignore[assignment]  # boards of all votes
        wider = max(rating.upper - rating.elo, rating.elo - rating.lower)
        facts.append((rating.category.name, str(bounded[0].place)))
        facts.append(("Elo", f"{rating.elo:.0f} ±{wider:.0f}"))
    cheapest = offerings.cheapest(offerings.of_model(image_model))
    if cheapest and not image_model.is_sample:  # its price is made up, and a card has no room to say so
        facts.append(("From", usd(cheapest.price)))
    return facts


def _pictures(image_model: ImageModel) -> list[Image.Image]:
    """Two of its newest public images. A simulator's drawing is no picture of a real model."""
    entries = (
        Entry.objects.current()
        .filter(image_model=image_model, prompt__competition__in=Competition.objects.unveiled())
        .select_related("image_model", "call__offering")
        .order_by("-created_at", "-pk")[:8]
    )
    pictures: list[Image.Image] = []
    for entry in entries:
        if len(pictures) == 2 or entry.is_simulated:
            continue
        try:
            with entry.thumbnail.open("rb") as file, Image.open(file) as image:
                pictures.append(ImageOps.fit(image.convert("RGB"), (_PICTURE, _PICTURE), Image.Resampling.LANCZOS))
        except OSError:
            continue  # a lost file is reported where it is shown
    return pictures


def backdrop() -> Image.Image:
    ramp = Image.linear_gradient("L").rotate(90).resize((WIDTH, HEIGHT))
    return Image.composite(Image.new("RGB", (WIDTH, HEIGHT), _BOTTOM), Image.new("RGB", (WIDTH, HEIGHT), _TOP), ramp)


@functools.cache
def _rounded() -> Image.Image:
    mask = Image.new("L", (_PICTURE * 4, _PICTURE * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, _PICTURE * 4 - 1, _PICTURE * 4 - 1), 96, 255)
    return mask.resize((_PICTURE, _PICTURE), Image.Resampling.LANCZOS)


def _lines(name: str, width: float) -> list[str]:
    """At most two lines, broken between words."""
    words, lines = name.split(), [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if typeface(72, 800).getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    head = lines[:2]
    if len(lines) > 2:
        head[1] = " ".join(lines[1:])
    return [shortened(line, width, 72, 800) for line in head]


def shortened(text: str, width: float, size: int, weight: int) -> str:
    """The text, cut with “…” to at most `width` pixels in this type."""
    font = typeface(size, weight)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


@functools.cache
def typeface(size: int, weight: int) -> ImageFont.FreeTypeFont:
    path = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"
    font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font
