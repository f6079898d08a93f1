"""How many votes a ranking of one's own still takes, and when all pairs are answered."""

from __future__ import annotations

import pytest

from arena.voters.progress import Progress


@pytest.mark.parametrize(
    ("votes", "seen", "available", "missing", "is_done"),
    [
        (0, 0, 0, 20, False),
        (0, 0, 30, 20, False),
        (19, 25, 30, 1, False),
        (20, 29, 30, 0, False),
        (20, 30, 30, 0, True),
        (31, 31, 30, 0, True),
    ],
)
def test_progress(votes, seen, available, missing, is_done):
    progress = Progress(votes, seen, available)
    assert (progress.goal, progress.missing, progress.is_done) == (20, missing, is_done)
