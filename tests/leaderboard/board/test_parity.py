"""One model through two providers: whose share it is, and what so many votes support."""

from __future__ import annotations

import pytest

from leaderboard.board import parity
from leaderboard.board.parity import ProviderParity
from leaderboard.rating.parity import Parity


@pytest.mark.parametrize(
    ("share", "half_width", "votes", "claim"),
    [
        (0.9, 0.1, 1, "1 blind vote so far: too few to say."),
        (0.9, 0.1, 29, "29 blind votes so far: too few to say."),
        (0.9, 0.05, 30, "Fal is preferred (90% for Fal, 85–95, 30 blind votes): the images differ."),
        (0.1, 0.15, 400, "Replicate is preferred (10% for Fal, 0–25, 400 blind votes): the images differ."),
        (0.5, 0.06, 1200, "the same, as far as votes can see (50% for Fal, 44–56, 1,200 blind votes)."),
        (0.52, 0.2, 60, "no difference found yet (52% for Fal, 32–72, 60 blind votes)."),
    ],
)
def test_the_claim_names_the_one_that_is_preferred_and_whose_share_it_is(share, half_width, votes, claim):
    assert ProviderParity("Fal", "Replicate", Parity(share, half_width, votes)).claim == claim


def test_a_pair_is_one_whatever_the_sides():
    rows = [("replicate", "fal", "left", 1, 1), ("fal", "replicate", "left", 2, 2), ("fal", "openai", "tie", 3, 3)]
    openai, replicate = parity.compared([*rows, ("fal", "replicate", "right", 4, 4)])
    assert (openai.parity.share, openai.parity.votes) == (0.5, 1)
    assert (replicate.one, replicate.parity.votes) == ("fal", 3)
    assert replicate.parity.share == pytest.approx(1 / 3)
