"""Template helpers that every page has without loading them."""

from __future__ import annotations

from uuid import UUID

from django import template
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from arena.models import Report, Suggestion

register = template.Library()


@register.filter
def public_url(file: FieldFile) -> str:
    """The URL of a thumbnail or source image on public pages."""
    return reverse("arena:public-image", args=[file.name])


@register.filter
def suggestion_of(group: UUID) -> Suggestion | None:
    """What was suggested to the curators of this group of trials of the playground; None when nothing was."""
    return Suggestion.objects.filter(trials=group).select_related("prompt__competition").first()


@register.simple_tag
def open_work() -> dict[str, int]:
    """How many reports and suggestions wait for a curator."""
    return {
        "reports": Report.objects.open().count(),
        "suggestions": Suggestion.objects.filter(decided_at=None).count(),
    }
