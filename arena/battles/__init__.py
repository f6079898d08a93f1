"""Battles before their vote: drawn, assigned, loaded ahead, shown, skipped.

assignment          what a voter has to answer, what is loaded ahead, what came to the screen
voter_state         what a voter has in a category, as one statement reads it
competition_choice  voting within one competition
rows                what a battle's page shows, as one statement reads it
ballots             a pair for a browser without a voter's cookie, in no table
newcomers           a ballot that came back becomes the first battle of a new voter
skips               skipping a battle, and how often a voter may
fetches             which images of a pair a browser has loaded, and when
"""

from arena.battles.assignment import (
    AlreadyVoted,
    BattleExpired,
    BattleSkipped,
    NotYet,
    VoteRejected,
    Withdrawn,
    ahead,
    closed_reason,
    lifetime,
    serve,
    serve_state,
    show,
)

__all__ = [
    "AlreadyVoted",
    "BattleExpired",
    "BattleSkipped",
    "NotYet",
    "VoteRejected",
    "Withdrawn",
    "ahead",
    "closed_reason",
    "lifetime",
    "serve",
    "serve_state",
    "show",
]
