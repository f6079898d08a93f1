"""A place says no more than its bounds."""

from __future__ import annotations

import pytest

from leaderboard.rating.place import Place, sure


@pytest.mark.parametrize(
    ("place", "bounds", "detail", "text"),
    [
        (Place(1, 8, 8, 0.2), "1–8", "of 8, tied", "tied 1–8 of 8"),
        (Place(3, 8, 31, 0.0), "3–8", "of 31", "3–8 of 31"),
        (Place(1, 4, 31, 0.4), "1–4", "of 31", "1–4 of 31"),
        (Place(1, 1, 31, 0.981), "1st", "98% sure", "first of 31 (98% sure)"),
        (Place(1, 1, 31, 0.9999), "1st", "over 99% sure", "first of 31 (over 99% sure)"),
        (Place(1, 1, 2), "1st", "of 2", "first of 2"),
        (Place(31, 31, 31, 0.0), "31", "of 31", "31 of 31"),
        (Place(1, 2, 2, 0.5), "1–2", "of 2, tied", "tied 1–2 of 2"),
        (Place.unknown(31), "–", "unrated", "not rated yet"),
        (Place.unknown(), "–", "unrated", "not rated yet"),
    ],
)
def test_the_words_of_a_place(place, bounds, detail, text):
    assert (place.bounds, place.detail, str(place)) == (bounds, detail, text)
    assert "#" not in text


@pytest.mark.parametrize(
    ("low", "high", "of"), [(2, 1, 8), (0, 1, 8), (1, 9, 8), (None, 3, 8), (1, None, 8), (1, 1, 0)]
)
def test_a_place_that_cannot_be_is_rejected(low, high, of):
    with pytest.raises(ValueError, match="place"):
        Place(low, high, of)


def test_a_chance_is_never_rounded_up():
    assert [sure(chance) for chance in (0.0, 0.29, 0.9799, 0.99, 0.9901, 1.0)] == [
        "0%", "29%", "97%", "99%", "over 99%", "over 99%",
    ]  # fmt: skip


def test_unknown_is_null_for_programs():
    assert Place.unknown(8).as_json() == {"text": "not rated yet", "low": None, "high": None, "of": 8, "best": None}
