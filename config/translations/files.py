"""Where translations are, and whose texts they are of."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

# Folders and, for the frame of all pages, files whose texts an app translates.
SOURCES = {
    "arena": ("arena", "templates/*.html", "templates/arena"),
    "leaderboard": ("leaderboard", "templates/leaderboard"),
    "providers": ("providers", "templates/gateway", "templates/playground"),
}


def catalog_path(app: str, language: str) -> Path:
    return Path(settings.BASE_DIR, app, "locale", language, "LC_MESSAGES", "django.po")


def catalog_paths() -> list[Path]:
    """Of all languages but English, which stands in the code; those that exist."""
    paths = [catalog_path(app, code) for app in SOURCES for code, _ in settings.LANGUAGES]
    return [path for path in paths if path.exists()]
