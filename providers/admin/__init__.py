"""Where curators and operators work: the catalogue with its offerings, one call on trial, calls, requests and keys."""

from providers.admin import catalog, requests

__all__ = ["catalog", "requests"]
