"""Commercial use is a yes only where the licence itself says so."""

from __future__ import annotations

import pytest

from leaderboard.model_facts import rights


@pytest.mark.parametrize(
    ("licence", "answer"),
    [
        ("Apache-2.0", "yes"),
        ("MIT", "yes"),
        ("FLUX Non-Commercial", "no"),
        ("CC-BY-NC-4.0", "no"),
        ("Proprietary", "ask"),
        ("Stability AI Community", "ask"),
        ("Mitsubishi terms", "ask"),
        ("", "ask"),
    ],
)
def test_only_a_licence_that_says_so_is_a_source(licence, answer):
    use = rights.of_licence(licence)
    assert use.answer == answer
    assert use.reason
