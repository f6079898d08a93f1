"""A prompt as voters read it: its quoted words as checkboxes in their place, every character of it still there.

Quoted words are what an image has to spell, so a voter can tick them off. A tick is the voter's own note: the inputs
have no name and belong to no form. A long prompt shows each as a row of its own; quotes around a row, and what stands
between two rows, are hidden where they say nothing (a comma), but stay in the text for copying and for speech.

Pure but for Django's escaping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

LONG = 280  # characters from which a prompt stands beside the images instead of above them: our judgement
LINE = 100  # characters of one line above them on a desktop; twice as many are two lines
BRIEF = 160  # characters that a phone shows whole, in three or four lines
LONGEST_QUOTE = 120

_PAIRS = (("“", "”"), ("«", "»"), ("„", "“"), ("‚", "‘"), ("「", "」"))
_ANY = [rf"{opening}[^{opening}{closing}\n]{{1,{LONGEST_QUOTE}}}{closing}" for opening, closing in _PAIRS]
# A single quote is an apostrophe inside a word; straight ones quote only next to a space or punctuation.
_SINGLE = rf"‘(?:[^‘’\n]|’(?=\w)){{1,{LONGEST_QUOTE}}}’(?!\w)"
_STRAIGHT = rf"(?<![^\s(\[,.;:–—-])'(?=\S)(?:[^'\n]|'(?=\w)){{1,{LONGEST_QUOTE}}}'(?![^\s)\],.;:!?–—-])"
_DOUBLE = rf"(?<!\d)\"[^\"\n]{{1,{LONGEST_QUOTE}}}\""  # after a number it means inches
_QUOTED = re.compile("|".join((*_ANY, _SINGLE, _STRAIGHT, _DOUBLE)))
_ONLY_BETWEEN = re.compile(r"[\s,;]*")


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words that must stand in the image, with the quotes around them."""

    opening: str
    words: str
    closing: str


def parts(text: str) -> list[str | Quoted]:
    """The prompt cut at its quoted words; joined again it is the same text."""
    pieces: list[str | Quoted] = []
    end = 0
    for match in _QUOTED.finditer(text):
        if match.start() > end:
            pieces.append(text[end : match.start()])
        quoted = match[0]
        pieces.append(Quoted(quoted[0], quoted[1:-1], quoted[-1]))
        end = match.end()
    if end < len(text):
        pieces.append(text[end:])
    return pieces


def length(text: str) -> str:
    """How much room the prompt takes: "line", "lines", "short" or "long"; "brief" is added where a phone shows all."""
    size = "long" if len(text) > LONG else "short" if len(text) > 2 * LINE else "lines" if len(text) > LINE else "line"
    return f"{size} brief" if len(text) <= BRIEF else size


@lru_cache(maxsize=2048)
def markup(text: str) -> SafeString:
    """The prompt as HTML; line breaks become `<br>`."""
    pieces = parts(text)
    in_rows = len(text) > LONG
    out, is_between = [], False
    for index, piece in enumerate(pieces):
        if isinstance(piece, Quoted):
            opening, closing = (f'<span class="mark">{escape(mark)}</span>' for mark in (piece.opening, piece.closing))
            box = '<input type="checkbox" autocomplete="off">'
            row = "quoted next-row" if is_between else "quoted"
            out.append(f'<label class="{row}">{box}{opening}{escape(piece.words)}{closing}</label>')
            continue
        shown = str(escape(piece)).replace("\r\n", "\n").replace("\n", "<br>")
        is_between = index > 0 and in_rows and _ONLY_BETWEEN.fullmatch(piece) is not None
        out.append(f'<span class="between">{shown}</span>' if is_between else _after_row(shown, in_rows and index > 0))
    return mark_safe("".join(out))  # noqa: S308 - every piece was escaped


def _after_row(shown: str, is_after_row: bool) -> str:
    """Text that follows a row: the full stop or comma that ended the quoted words is hidden with their quotes."""
    stop = re.match(r"[.,;:]\s+", shown) if is_after_row else None
    return f'<span class="between">{stop[0]}</span>{shown[stop.end() :]}' if stop else shown


@lru_cache(maxsize=2048)
def has_quotes(text: str) -> bool:
    """Whether there is anything to tick off."""
    return any(isinstance(piece, Quoted) for piece in parts(text))
