"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from arena.models import Category
from providers.cache import ProcessCache

# On every page, and hardly ever another: seconds old is new enough. Under one key, because None is no value.
voting_categories: ProcessCache[str, list[Category]] = ProcessCache(seconds=3.0, max_entries=1)


def site(request: HttpRequest) -> dict[str, Any]:
    """The site's name and links, and the categories that have a published competition."""
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "source_url": settings.SOURCE_URL,
        "voting_categories": voting_categories.get_or_compute("", _voting_categories),
    }


def _voting_categories() -> list[Category]:
    return list(Category.objects.filter(competitions__is_published=True).distinct())
