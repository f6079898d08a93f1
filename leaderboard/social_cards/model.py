"""The picture that a link to a model shows where it is shared: name, place, Elo, price and two of its images.

Drawn once for each board and cached; the URL carries the version, so a client with an old card requests the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from PIL import Image

from arena import blinding
from arena.models import Competition, Entry
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating
from leaderboard.profiles import model, offerings
from leaderboard.social_cards import canvas
from leaderboard.social_cards.canvas import ACCENT, HEIGHT, MARGIN, SOFT, WHITE, WIDTH
from leaderboard.social_cards.lettering import draw_text, lines, shortened
from providers.models import ImageModel
from providers.offering.pricing import usd

PICTURES = 500  # pixels of the column of images


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
        canvas.taken_away(),
        seconds=60 * MINUTE,
        compute=lambda: _draw(image_model, places, host),
    )


def _stamp(places: Sequence[Standing]) -> str:
    """Of all boards the model is on: a card is redrawn when one of them is."""
    versions = [version(standing.rating.category) for standing in places]
    return hashlib.sha256(repr(versions).encode()).hexdigest()[:12]


def _draw(image_model: ImageModel, places: Sequence[Standing], host: str) -> bytes:
    card, draw = canvas.blank()
    pictures = _pictures(image_model)
    width = WIDTH - 2 * MARGIN - (PICTURES if pictures else 0)
    for index, image in enumerate(pictures):
        card.paste(image, (WIDTH - PICTURES, index * (HEIGHT // 2 + 2)))
    facts = _facts(image_model, places)
    names = lines(image_model.name, width, 66, 800)
    y = 206 - 40 * (len(names) - 1)
    board = next((title for title, _ in facts[:1] if title != "From"), "")
    about = " · ".join(filter(None, (image_model.lab.name if image_model.lab else "", board)))
    draw_text(draw, (MARGIN, y), shortened(about or "AI image model", width, 24, 650), ACCENT, 24, 650)
    y += 44
    for line in names:
        draw_text(draw, (MARGIN, y), line, WHITE, 66, 800)
        y += 78
    rated = [fact for fact in facts if fact[0] != "From"]
    words = [f"{title} {value}" for title, value in facts if (title, value) not in rated[:1]]
    place = rated[0][1] if rated else "not rated yet"
    draw_text(draw, (MARGIN, y + 14), shortened(place, width, 34, 750), WHITE, 34, 750)
    if words:
        draw_text(draw, (MARGIN, y + 66), shortened(" · ".join(words), width, 26, 500), SOFT, 26, 500)
    votes = sum(standing.rating.votes for standing in places)
    kind = {ImageModel.Origin.SAMPLE: "sample model, drawn by this site", ImageModel.Origin.IMPORTED: "imported votes"}
    foot = [f"{votes:,} blind votes" if votes else "", kind.get(ImageModel.Origin(image_model.origin), ""), host]
    text = shortened(" · ".join(filter(None, foot)), width, 21, 500)
    draw_text(draw, (MARGIN, HEIGHT - 82), text, SOFT, 21, 500)
    return canvas.jpeg(card)


def _facts(image_model: ImageModel, places: Sequence[Standing]) -> list[tuple[str, str]]:
    """At most three, the best known first; nothing is made up for a model that has none."""
    facts = []
    bounded = [standing for standing in places if standing.half_width is not None]
    if bounded:
        rating: Rating = bounded[0].rating  # type: ignore[assignment]  # boards of all votes
        facts.append((rating.category.name, str(bounded[0].place)))
        facts.append(("Elo", f"{rating.elo:.0f} ±{bounded[0].margin:.0f}"))
    cheapest = offerings.cheapest(offerings.of_model(image_model))
    if cheapest and not image_model.is_sample:  # its price is made up, and a card has no room to say so
        facts.append(("From", usd(cheapest.price)))
    return facts


def _pictures(image_model: ImageModel) -> list[Image.Image]:
    """Two of its newest public images, wide ones first: posters lose their lettering. A simulator's drawing is no
    picture of a real model."""
    entries = (
        Entry.objects.current()
        .filter(image_model=image_model, prompt__competition__in=Competition.objects.unveiled())
        .exclude(prompt__in=blinding.veiled_prompts())
        .select_related("image_model", "call__offering")
        .order_by("-created_at", "-pk")[:16]
    )
    usable = sorted(
        (entry for entry in entries if not entry.is_simulated), key=lambda entry: entry.height > entry.width
    )
    images = (canvas.picture(entry, PICTURES, HEIGHT // 2 - 2) for entry in usable[:4])
    return [image for image in images if image is not None][:2]
