"""How many of one voter's votes count: the cap that keeps a few busy people, or one rigger, from ruling a board.

The first c votes of the last 90 days in a category count. c grows with the board, so that a young board, or a team of
ten, keeps nearly all of its votes and a public board is protected:

    c = max(50, 2 · votes / voters, min(200, votes / 100)), rounded down to tens

The share is what bounds a voter whom nothing catches: who votes for one model in three of four of its pairs is inside
an honest taste. With 2 % (`cap-2`) such a voter moved it by 5 to 6 Elo on a board of 3,000 votes a model, with 1 % by
3, and boards of people with tastes come out closer to the truth (docs/integrity.md). A floor of 20 would leave out a
third to a half of a young board's honest votes; a share alone is absurd in a team of ten.

Pure: no Django.
"""

from __future__ import annotations

FLOOR = 50  # votes that always count
AVERAGES = 2  # times the average voter's votes
SHARE, SHARE_BEFORE = 100, 50  # one vote in so many of the category (before: as `cap-2` had it) …
CEILING = 200  # … but by this share no more than this


def cap(votes: int, voters: int, share: int = SHARE) -> int:
    """Votes of one voter that count, from the category's valid votes of the window and their voters, before any cap."""
    average = AVERAGES * votes // voters if voters > 0 else 0
    return max(FLOOR, average, min(CEILING, votes // share)) // 10 * 10
