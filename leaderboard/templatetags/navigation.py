"""Which of the site's few doors a page belongs to."""

from __future__ import annotations

from django import template

register = template.Library()

SECTIONS = {
    "vote": {"arena:arena", "arena:battle"},
    "rankings": {
        "leaderboard:index", "leaderboard:category", "leaderboard:overall", "leaderboard:competition",
        "leaderboard:prompt",
    },
    "models": {
        "leaderboard:models", "leaderboard:model", "leaderboard:compare",
        "leaderboard:compare-pick", "leaderboard:lab", "leaderboard:provider",
    },
    "build": {"providers:playground", "providers:tried", "providers:api", "providers:keys", "providers:log"},
}  # fmt: skip


@register.filter
def section(view_name: str) -> str:
    """vote, rankings, models, build; "" for a page behind none of these doors."""
    return next((name for name, views in SECTIONS.items() if view_name in views), "")
