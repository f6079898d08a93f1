"""Which votes count, who decides it, and how it is taken back.

caps          keeps each category's cap on one voter's votes up to date (the cap itself: arena/vote_cap.py)
rules         the rules by which votes do not count, with versions and sentences
networks      a browser's network as a keyed hash
strengths     the votes that voters are judged by
evidence      how much a voter's votes speak against honesty
watch         looks at voters after they voted
consequences  what happens to a voter who was caught, or accused wrongly
exclusion     single votes, out and in again
ledger        the public ledger of votes that do not count
alarm         alarms of the ledger
"""

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
