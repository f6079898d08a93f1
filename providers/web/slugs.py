"""Slugs with dots: model names carry versions (flux.2-klein-9b), which Django's own slugs refuse."""

from __future__ import annotations

SLUG_PATTERN = r"^[a-z0-9]+([._-][a-z0-9]+)*$"


class DottedSlug:
    """Path converter for such slugs."""

    regex = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
