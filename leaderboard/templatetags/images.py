"""Small images and rights in templates."""

from __future__ import annotations

from django import template

from leaderboard.competitions.image_urls import source_url, tiny_url
from leaderboard.model_facts import rights

register = template.Library()


register.simple_tag(tiny_url)
register.simple_tag(source_url)


@register.simple_tag
def rights_of(licence: str) -> rights.CommercialUse:
    return rights.of_licence(licence)


@register.filter
def per_cent_number(share: float | None) -> str:
    """A share as a number for an SVG length in per cent, with a point whatever the language."""
    return f"{100 * (share or 0):.1f}"
