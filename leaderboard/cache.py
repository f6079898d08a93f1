"""What the leaderboard caches in Valkey (`providers.cache`), by the version of the board it was computed from.

A new board is a new key and shows at once; nothing is ever invalidated.
"""

from __future__ import annotations

from arena.models import Category
from providers.cache import delete_many, get, get_many, get_or_compute, lock, put

__all__ = ["MINUTE", "delete_many", "get", "get_many", "get_or_compute", "lock", "put", "version"]

MINUTE = 60.0  # seconds


def version(category: Category) -> tuple[int, str]:
    """Of the category's ratings, as part of a key. Read it before computing what is cached under it: then only a new
    value can stand under an old version, never an old one under a new."""
    board = getattr(category, "board", None)
    return category.pk, board.computed_at.isoformat() if board and board.computed_at else ""
