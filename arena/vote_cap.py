"""How many of one voter's votes count: the cap that keeps a few busy people, or one rigger, from ruling a board.

The first c votes of the last 90 days in a category count. c grows with the board, so that a young board, or a team of
ten, keeps nearly all of its votes and a public board is protected:

    c = max(50, 2 · votes / voters, min(200, votes / 50)), rounded down to tens

Simulated (8 models, Zipf activity): at 300 votes 89 % of them count and an uncaught rigger lifts a model by 50 Elo
instead of 416; at 10,000 votes 77 % count, the error is a fifth smaller, and the rigger lifts it by 8. A floor of 20
would leave out a third to a half of a young board's honest votes; 2 % alone is absurd in a team of ten.

Pure: no Django.
"""

from __future__ import annotations

FLOOR = 50  # votes that always count
AVERAGES = 2  # times the average voter's votes
SHARE = 50  # one vote in so many of the category …
CEILING = 200  # … but by this share no more than this


def cap(votes: int, voters: int) -> int:
    """Votes of one voter that count, from the category's valid votes of the window and their voters, before any cap."""
    average = AVERAGES * votes // voters if voters > 0 else 0
    return max(FLOOR, average, min(CEILING, votes // SHARE)) // 10 * 10
