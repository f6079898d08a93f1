"""What stands under a pair after its vote: how others voted, and where an image came from."""

from __future__ import annotations

import pytest

from arena.battle_page import reveal
from arena.battle_page.reveal_registry import Crowd
from arena.battles.rows import Maker
from arena.integrity import rules


@pytest.mark.parametrize(
    ("crowd", "label"),
    [
        (Crowd("votes", 70, 12, "with"), "A 70, B 30 per cent of 12 votes"),
        (Crowd("votes", 0, 1, "against"), "A 0, B 100 per cent of 1 vote"),
        (Crowd("expected", 64, 0, "with"), "Expected: A 64, B 36 per cent"),
    ],
)
def test_the_bar_of_the_shares_in_words(crowd, label):
    assert reveal._crowd_label(crowd) == label


@pytest.mark.parametrize(
    ("origin", "provider", "badge"),
    [
        ("sample", None, "sample"),
        ("sample", "simulated-fal", "sample"),
        ("catalog", "simulated-fal", "simulated"),
        ("catalog", "fal", ""),
        ("catalog", None, ""),
        ("imported", None, ""),
    ],
)
def test_samples_and_simulated_images_are_marked(origin, provider, badge):
    assert reveal._badge(Maker("t.webp", 1, "kite", "Kite", origin, provider)) == badge


def test_the_reason_of_a_cap_keeps_its_numbers_and_a_curators_stays_as_written():
    stored = rules.CAP.reason.format(cap=300, days=7)
    assert reveal._excluded_reason(stored) == stored
    assert reveal._excluded_reason("seen twice, says Ada") == "seen twice, says Ada"
    assert reveal._excluded_reason("") == ""
