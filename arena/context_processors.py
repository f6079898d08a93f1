"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from arena.models import Category


def site(request: HttpRequest) -> dict[str, Any]:
    """The site's name and links, and the categories that have a published competition."""
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "source_url": settings.SOURCE_URL,
        "voting_categories": Category.objects.filter(competitions__is_published=True).distinct(),
    }
