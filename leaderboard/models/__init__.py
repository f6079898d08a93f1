"""What the votes add up to. Everything here is derived: TRUNCATE it, recompute, and the same rows stand again.

Snapshots are the exception by their nature: each says what was derived at one moment, and never changes. So are the
links by which voters share their own rankings, and webhooks.
"""

from leaderboard.models.boards import Board, BoardState, RecentBoard
from leaderboard.models.rankings import SharedRanking, new_token
from leaderboard.models.ratings import (
    BY_ELO,
    Covariance,
    Drift,
    HeadToHead,
    Rating,
    RatingNumbers,
    RecentRating,
    RegisteredModel,
)
from leaderboard.models.records import Record, RecordCount
from leaderboard.models.snapshots import PublishedVotes, Snapshot
from leaderboard.models.webhooks import Delivery, Event, Webhook

__all__ = [
    "BY_ELO",
    "Board",
    "BoardState",
    "Covariance",
    "Delivery",
    "Drift",
    "Event",
    "HeadToHead",
    "PublishedVotes",
    "Rating",
    "RatingNumbers",
    "RecentBoard",
    "RecentRating",
    "Record",
    "RecordCount",
    "RegisteredModel",
    "SharedRanking",
    "Snapshot",
    "Webhook",
    "new_token",
]
