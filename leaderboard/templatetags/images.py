"""Small images and rights in templates."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from leaderboard.competitions.image_urls import medium_source_url, source_url, tiny_url
from leaderboard.model_facts import rights

register = template.Library()


register.simple_tag(tiny_url)
register.simple_tag(source_url)
register.simple_tag(medium_source_url)


@register.simple_tag
def rights_of(licence: str) -> rights.CommercialUse:
    return rights.of_licence(licence)


@register.filter
def rights_answer(answer: str) -> str:
    """Whether images may be used commercially, where a column says of what it speaks."""
    return {"yes": gettext("yes"), "ask": gettext("ask"), "no": gettext("no")}[answer]


@register.filter
def rights_words(use: rights.CommercialUse) -> str:
    """The same in running text."""
    words = {"yes": gettext("commercial"), "ask": gettext("ask first"), "no": gettext("not commercial")}
    return words[use.answer]


@register.filter
def rights_reason(use: rights.CommercialUse) -> str:
    """The licence as it calls itself, or why there is none to name."""
    return {"own terms": gettext("own terms"), "licence unknown": gettext("licence unknown")}.get(
        use.reason, use.reason
    )


@register.filter
def per_cent_number(share: float | None) -> str:
    """A share as a number for an SVG length in per cent, with a point whatever the language."""
    return f"{100 * (share or 0):.1f}"
