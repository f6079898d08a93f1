"""The providers this installation knows: how it reaches them, and what to call them on a page."""

from __future__ import annotations

from django.conf import settings

from .adapters.base import Account


def accounts() -> dict[str, Account]:
    """Every provider of `settings.PROVIDERS` by its key, with or without an API key."""
    return {key: account_of(key) for key in settings.PROVIDERS}


def account_of(key: str) -> Account:
    """KeyError for a provider that is not configured (any more)."""
    config = settings.PROVIDERS[key]
    return Account(
        key=key,
        allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
        json_edits=key in settings.JSON_EDIT_PROVIDERS,
        allow_private=key in settings.PRIVATE_NETWORK_PROVIDERS,
        webhook_url=f"{settings.WEBHOOK_URL}/{key}/" if settings.WEBHOOK_URL and config.get("webhook_key") else "",
        **{name: value for name, value in config.items() if name != "limits"},  # those are of admission/limits.py
    )


def name_of(provider: str) -> str:
    """The provider's name for people; its key when it is no longer configured."""
    return account_of(provider).name if provider in settings.PROVIDERS else provider


def is_simulated(provider: str) -> bool:
    """True when images of this provider come from our simulator, by its entry in the settings."""
    return provider in settings.PROVIDERS and account_of(provider).is_simulated
