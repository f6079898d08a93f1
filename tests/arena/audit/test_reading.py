"""Reading pages and bytes: which part belongs to which side, and where a name stands."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.audit import markup, words

LEFT, RIGHT = "aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb"
VOCABULARY = words.words({"name of Kestrel 9": {"Kestrel 9", "kestrel.9-xl"}, "provider of Kestrel 9": {"fal"}})


def page(left="", right="", around=""):
    def side(place, letter, token, more):
        return (
            f'<figure class="side" data-side="{place}"><a href="/i/{token}.webp"><img {more} src="/i/{token}.webp"'
            f' alt="Image {letter}, made from the prompt"></a><figcaption>{letter}</figcaption></figure>'
        )

    return f"<body>{around}<div>{side('left', 'A', LEFT, left)}{side('right', 'B', RIGHT, right)}</div></body>"


def test_equal_sides_read_equal():
    left, right = markup.sides(page(), LEFT, RIGHT)
    assert left == right
    assert len(left) == 1


@pytest.mark.parametrize(
    "more", ['data-entry="7"', 'alt="x"', 'class="wide"', 'loading="lazy"', "hidden", "width=1183"]
)
def test_any_other_attribute_of_one_side_is_seen(more):
    left, right = markup.sides(page(left=more), LEFT, RIGHT)
    assert left != right


def test_an_element_elsewhere_that_belongs_to_one_side_is_seen():
    left, right = markup.sides(page(around=f'<link rel="preload" href="/i/{LEFT}.webp">'), LEFT, RIGHT)
    assert len(left) == len(right) + 1


def test_what_a_browser_loads_by_itself():
    around = '<link rel="stylesheet" href="/a.css"><link rel="canonical" href="/no"><script src="/b.js"></script>'
    around += '<a href="/no"></a><img srcset="/c.webp 1x, /d.webp 2x" src="data:image/png;base64,xx">'
    assert markup.loaded(page(around=around)) == [
        "/a.css", "/b.js", "/c.webp", "/d.webp", f"/i/{LEFT}.webp", f"/i/{RIGHT}.webp",
    ]  # fmt: skip


@given(st.text(max_size=200))
def test_no_page_whatever_makes_it_raise(text):
    markup.sides(text, LEFT, RIGHT)
    markup.loaded(text)
    markup.field_value(text, "csrfmiddlewaretoken")


@pytest.mark.parametrize(
    "text",
    [
        "by Kestrel 9.",
        "href=/models/kestrel.9-xl/",
        "x=Kestrel%209",
        base64.b64encode(b"kestrel.9-xl").decode(),
        hashlib.sha256(b"kestrel.9-xl").hexdigest(),
        "https://fal.run/x",
    ],
)
def test_a_name_is_found_however_it_is_written(text):
    assert words.find(VOCABULARY, text.encode(), "text/html")


@pytest.mark.parametrize("text", ["false", "Kestrel 90", "kestrels fly at 9", "default"])
def test_a_part_of_a_longer_word_is_no_name(text):
    assert not words.find(VOCABULARY, text.encode(), "text/html")


def test_names_are_found_in_pictures_but_short_words_are_left_to_chance():
    noise = bytes(range(256)) * 40
    assert words.find(VOCABULARY, noise + b"kestrel.9-xl" + noise, "image/webp")
    assert not words.find(VOCABULARY, noise + b" fal " + noise, "image/webp")


def test_words_of_the_prompt_itself_are_innocent():
    innocent = words.spoken(VOCABULARY, "A kestrel 9 times the usual size")
    assert not words.find(VOCABULARY, b"<p>A kestrel 9 times the usual size</p>", "text/html", innocent)
    assert words.find(VOCABULARY, b"<p>kestrel.9-xl</p>", "text/html", innocent)
