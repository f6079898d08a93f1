"""Template filters about providers and prices; built in, so that no template loads them."""

from __future__ import annotations

from django import template

from providers import accounts
from providers.spending import money

register = template.Library()
register.filter("usd", money.usd)
register.filter(money.price_unit)


@register.filter
def provider_name(key: str) -> str:
    """The name of a provider by its key in the settings."""
    return accounts.name_of(key)


@register.filter
def is_simulated(key: str) -> bool:
    return accounts.is_simulated(key)
