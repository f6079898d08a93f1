"""Letters on share cards: every script in a typeface that has it, in its order, and never an empty box."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from leaderboard.social_cards import lettering


def test_each_part_is_in_a_typeface_that_has_its_characters():
    assert [face for face, part in lettering.runs("混元图像 3.0 – نموذج")] == ["cjk", "manrope", "arabic"]
    assert "".join(part for _, part in lettering.runs("Ψευδώνυμο Кошка Żółw")) == "Ψευδώνυμο Кошка Żółw"
    assert {face for face, _ in lettering.runs("Ψευδώνυμο Кошка Żółw")} == {"manrope"}
    assert [face for face, _ in lettering.runs("ハンユアン")] == ["cjk"]
    assert [face for face, _ in lettering.runs("한국어")] == ["cjk"]


def test_what_no_typeface_has_is_left_out_instead_of_a_box():
    assert lettering.runs("Kite 🎨") == lettering.runs("Kite ")
    assert lettering.length("Kite🎨", 30, 700) == lettering.length("Kite", 30, 700)


def test_parts_stand_in_the_direction_of_the_first_letter():
    assert [part for _, part in lettering.runs("Kite نموذج")] == ["Kite ", "نموذج"]
    parts = lettering.runs("نموذج Kite")
    assert [face for face, part in parts if part.strip()] == ["manrope", "arabic"]
    assert parts[0] == ("manrope", "Kite")


def test_arabic_letters_are_joined():
    """Shaped, a word is narrower than its letters one by one."""
    word = "نموذج"
    assert lettering.length(word, 60, 700) < 0.9 * sum(lettering.length(letter, 60, 700) for letter in word)


@pytest.mark.parametrize(
    "name", ["混元图像 3.0 – نموذج 🎨", "A name of many words that goes on and on, wider than a card"]
)
def test_what_is_cut_fits(name):
    for width in (80, 300, 900):
        for line in lettering.lines(name, width, 40, 800):
            assert lettering.length(line, 40, 800) <= width
    card = Image.new("RGB", (900, 120))
    lettering.draw_text(ImageDraw.Draw(card), (10, 10), name, (255, 255, 255), 40, 800)
    assert card.getbbox() is not None
