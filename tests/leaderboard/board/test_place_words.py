"""A place as pages say it: in running text and in the two lines of a cell, in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from leaderboard.board import place_words
from leaderboard.rating.place import Place


@pytest.mark.parametrize(
    ("place", "text", "cell"),
    [
        (Place.unknown(), "not rated yet", ("–", "unrated")),
        (Place(1, 1, 31, 0.984), "first of 31 (98% sure)", ("1st", "98% sure")),
        (Place(1, 1, 31, 0.999), "first of 31 (over 99% sure)", ("1st", "over 99% sure")),
        (Place(1, 1, 31), "first of 31", ("1st", "of 31")),
        (Place(3, 8, 31, 0.2), "3–8 of 31", ("3–8", "of 31")),
        (Place(31, 31, 31), "31 of 31", ("31", "of 31")),
        (Place(1, 8, 8, 0.4), "tied 1–8 of 8", ("1–8", "of 8, tied")),
    ],
)
def test_a_place_has_its_bounds_wherever_it_is_said(place, text, cell):
    assert place_words.text(place) == str(place) == text
    assert (place_words.bounds(place), place_words.detail(place)) == (place.bounds, place.detail) == cell


def test_it_is_said_in_the_readers_language():
    with translation.override("de"):
        assert place_words.text(Place(1, 8, 8)) == "gleichauf 1–8 von 8"
        assert place_words.detail(Place(3, 8, 31)) == "von 31"
