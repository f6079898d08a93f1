"""Template helpers that every page has without loading them."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django import template
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from arena.models import Report, Suggestion
from providers import accounts

register = template.Library()


@register.filter
def public_url(file: FieldFile) -> str:
    """The address of a thumbnail or source image on public pages."""
    return reverse("arena:public-image", args=[file.name])


@register.filter
def usd(amount: Decimal | None) -> str:
    """A price with as many digits as it needs: $0.006, $0.04, $1.50."""
    if amount is None:
        return "–"
    text = f"{amount:.4f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


@register.filter
def provider_name(key: str) -> str:
    return accounts.name_of(key)


@register.filter
def is_simulated(key: str) -> bool:
    return accounts.is_simulated(key)


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
