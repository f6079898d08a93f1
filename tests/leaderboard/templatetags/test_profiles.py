"""Numbers of model and provider pages as the templates' filters write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leaderboard.templatetags import profiles


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (profiles.duration(timedelta(seconds=2.44)), "2.4 s"),
        (profiles.duration(0.94), "0.94 s"),
        (profiles.duration(119.0), "119 s"),
        (profiles.duration(120.0), "2 min"),
        (profiles.duration(None), "–"),
        (profiles.duration(""), "–"),
        (profiles.rate(None), "–"),
        (profiles.rate(""), "–"),
        (profiles.rate(0.9994), "99.9%"),
        (profiles.rate(0.9995), ">99.9%"),
        (profiles.rate(1.0), "100.0%"),
        (profiles.rate(0.5), "50.0%"),
        (profiles.of_longest(2.0, 8.0), "25.0%"),
        (profiles.of_longest(0.001, 8.0), "0.5%"),
        (profiles.of_longest(None, 8.0), "0%"),
        (profiles.of_longest(1.0, 0.0), "0%"),
        (profiles.mode_name("edit"), "Image editing"),
        (profiles.mode_name("text-to-image"), "Text to image"),
        (
            profiles.source_link("https://www.example.org/prices read in May"),
            '<a href="https://www.example.org/prices" rel="nofollow">example.org page</a> read in May',
        ),
        (profiles.source_link("an e-mail <of May>"), "an e-mail &lt;of May&gt;"),
    ],
)
def test_numbers_and_names_of_profiles(written, text):
    assert written == text
