"""A pair that is voted on now, as one image for other people's pages: blind, and another one every hour."""

from __future__ import annotations

from random import Random

from django.conf import settings
from django.db.models import Count

from arena.models import Category, Competition, Entry
from arena.shares import card as share_card

SECONDS = 3600  # one pair's time
MAX_PROMPTS = 1000  # to draw from


def of_category(category: Category, hour: int) -> bytes | None:
    """A JPEG with two images of one prompt, without names; None where nothing is voted on. `hour` since 1970."""
    competitions = Competition.objects.open().filter(category=category)
    entries = Entry.objects.current().filter(prompt__competition__in=competitions)
    prompts = entries.order_by("prompt").values("prompt").annotate(n=Count("pk")).filter(n__gte=2)[:MAX_PROMPTS]
    if not prompts:
        return None
    draw = Random(f"{category.slug} {hour}")  # noqa: S311 – everybody sees the same pair
    shown = draw.sample(list(entries.filter(prompt=draw.choice(prompts)["prompt"]).order_by("pk")), 2)
    pictures = []
    for entry in shown:
        with entry.thumbnail.open("rb") as file:
            pictures.append(file.read())
    return share_card.draw(
        pictures, site_name=settings.SITE_NAME, is_demo=settings.DEMO, question="Which one is better?"
    )
