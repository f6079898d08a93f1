"""Whether one model is the same through two providers."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.rating.parity import Parity, compare


def votes(seed, count, share, *, voters=60, prompts=20, taste=0.0):
    """Votes of which `share` prefer the first; each prompt has a liking of its own."""
    rng = np.random.default_rng(seed)
    prompt, voter = rng.integers(0, prompts, count), rng.integers(0, voters, count)
    chance = np.clip(share + rng.normal(0, taste, prompts)[prompt], 0, 1)
    score = np.where(rng.random(count) < 0.3, 0.5, rng.random(count) < chance)
    return score, voter, prompt


def test_equal_images_are_called_the_same_and_hardly_ever_different():
    answers = [compare(*votes(seed, 1_500, 0.5)).answer for seed in range(60)]
    assert answers.count("differs") <= 6
    assert answers.count("same") >= 50


def test_an_image_that_wins_six_of_ten_differs():
    answers = [compare(*votes(seed, 1_500, 0.6)).answer for seed in range(20)]
    assert answers.count("differs") >= 18
    assert "same" not in answers


def test_likings_of_single_prompts_widen_the_interval_and_intervals_hold():
    alike, split = compare(*votes(1, 1_000, 0.5)), compare(*votes(1, 1_000, 0.5, prompts=10, taste=0.25))
    assert split.half_width > 1.5 * alike.half_width
    held = [abs(compare(*votes(seed, 600, 0.5, prompts=12, taste=0.15)).share - 0.5)
            <= compare(*votes(seed, 600, 0.5, prompts=12, taste=0.15)).half_width for seed in range(200)]  # fmt: skip
    assert np.mean(held) >= 0.92


@pytest.mark.parametrize("count", [0, 1, 29])
def test_few_votes_say_nothing(count):
    assert compare(*votes(1, count, 0.9)).answer == "unknown"


def test_where_all_agree_the_interval_is_not_empty():
    parity = compare(np.ones(40), np.arange(40), np.arange(40))
    assert 0 < parity.half_width < 0.1
    assert (parity.answer, parity.upper) == ("differs", 1.0)
    assert Parity(0.52, 0.04, 500).answer == "same"
    assert Parity(0.52, 0.06, 500).answer == "unknown"
