"""Which votes count, who decides it, and how it is taken back."""

from arena.integrity.exclusion import (
    DAILY_DAYS,
    exclude,
    first_daily,
    image_differences,
    include,
    progress_differences,
    roll_up,
    subtract,
)

__all__ = [
    "DAILY_DAYS",
    "exclude",
    "first_daily",
    "image_differences",
    "include",
    "progress_differences",
    "roll_up",
    "subtract",
]
