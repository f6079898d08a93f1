"""Small images and rights in templates."""

from __future__ import annotations

from pathlib import PurePath

from django import template
from django.urls import reverse

from arena.models import Entry, Prompt
from leaderboard import rights

register = template.Library()


@register.simple_tag
def tiny_url(entry: Entry) -> str:
    """Of the entry's image, cropped to a square of 112 pixels."""
    return reverse("leaderboard:tiny-image", args=[entry.pk, PurePath(entry.thumbnail.name or "").stem])


@register.simple_tag
def source_url(prompt: Prompt) -> str:
    """Of the prompt's source image, cropped to a square of 112 pixels: pages that show it small load it small."""
    return reverse("leaderboard:tiny-source", args=[prompt.pk, PurePath(prompt.source_image.name or "").stem])


@register.simple_tag
def rights_of(licence: str) -> rights.CommercialUse:
    return rights.of_licence(licence)


@register.filter
def per_cent_number(share: float | None) -> str:
    """A share as a number for an SVG length in per cent, with a point whatever the language."""
    return f"{100 * (share or 0):.1f}"
