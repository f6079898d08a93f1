"""Quoted words become checkboxes, and nothing of the prompt is lost."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from pathlib import Path

import pytest

from arena.battle_page import prompt_markup
from arena.battle_page.prompt_markup import Quoted

CONTENT = tomllib.loads((Path(prompt_markup.__file__).parents[1] / "demo" / "content.toml").read_text("utf-8"))
PROMPTS = [prompt["text"] for competition in CONTENT["competition"] for prompt in competition["prompt"]]


def quoted(text: str) -> list[str]:
    return [part.words for part in prompt_markup.parts(text) if isinstance(part, Quoted)]


def text_of(markup: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", markup.replace("<br>", "\n")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Title ‘DUNE & DRUM’, below ‘Three nights’.", ["DUNE & DRUM", "Three nights"]),
        ("‘TODAY’S SPECIALS – APRIL 30’", ["TODAY’S SPECIALS – APRIL 30"]),
        ("Ad for 'Magic Burger'. It's the dogs' own.", ["Magic Burger"]),
        ("said 'the cat's pyjamas' and don't", ["the cat's pyjamas"]),
        ('“Hello”, «Salut» and „Hallo“, "Hi"', ["Hello", "Salut", "Hallo", "Hi"]),
        ("看板に「咖啡」と書く", ["咖啡"]),
        ("It’s a dog’s life", []),
        ('6" by 4" and ‘’', []),
        (f"‘{'x' * 121}’ ‘{'x' * 120}’", ["x" * 120]),
    ],
)
def test_quotes_of_many_languages_are_recognised_and_apostrophes_are_none(text, words):
    assert quoted(text) == words
    assert text_of(prompt_markup.markup(text)) == text


def test_every_prompt_of_the_demo_reads_as_it_was_written():
    for text in PROMPTS:
        assert text_of(prompt_markup.markup(text)) == text
    assert len(quoted(PROMPTS[0])) == 5


def test_what_stands_in_a_prompt_is_escaped_and_lines_are_breaks():
    assert prompt_markup.markup("<b> & ‘<i>’\nnext") == (
        '&lt;b&gt; &amp; <label class="quoted"><input type="checkbox" autocomplete="off"><span class="mark">‘</span>'
        '&lt;i&gt;<span class="mark">’</span></label><br>next'
    )


def test_a_comma_between_two_rows_of_a_long_prompt_is_hidden_but_there():
    text = "Words: ‘one’, ‘two’. And then " + "more " * 60
    markup = prompt_markup.markup(text)
    assert '</label><span class="between">, </span><label class="quoted next-row">' in markup
    assert '</label><span class="between">. </span>And then' in markup
    assert '<span class="between">' not in prompt_markup.markup("Words: ‘one’, ‘two’.")
    assert text_of(markup) == text


@pytest.mark.parametrize(("size", "length"), [(100, "line brief"), (160, "lines brief"), (201, "short"), (281, "long")])
def test_the_room_a_prompt_takes_follows_from_its_length(size, length):
    assert prompt_markup.length("x" * size) == length
