"""What `check --deploy` says about the arena."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError


def unveiling(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A published competition that unveils at once hands out a dictionary of its pictures."""
    from arena.models import Competition

    try:
        competitions = list(
            Competition.objects.open()
            .filter(unveiling=Competition.Unveiling.ALWAYS)
            .values_list("slug", flat=True)[:10]
        )
    except DatabaseError:  # before the first migration, or without a database
        return []
    return [
        Warning(
            f"The competition “{slug}” shows pictures beside names while they are voted on.",
            hint="Set its unveiling to “After the vote”, unless the arena is private or a demo.",
            id="arena.W001",
        )
        for slug in competitions
    ]
