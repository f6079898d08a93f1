"""Names in bytes: every way in which a model, its maker, its seller or its file could be written where a voter reads.

Pure.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

_SHORTEST = 3  # characters of a word that is looked for in text
_SHORTEST_IN_PICTURES = 6  # of compressed bytes, shorter words turn up by chance
_READABLE = re.compile(rb"[\x20-\x7e]{%d,}" % _SHORTEST_IN_PICTURES)
_TEXT = ("text/", "application/json", "application/javascript", "application/ld+json", "image/svg")


@dataclass(frozen=True, slots=True)
class Word:
    """Something that names, as lower-case bytes, and what it is for the report: "name of Kestrel Nine"."""

    needle: bytes
    meaning: str
    is_whole: bool = True  # “fal” does not stand in “false”; the beginning of a base64 text goes on as it likes


def words(names: Mapping[str, Iterable[str]]) -> list[Word]:
    """From meaning → texts to what to look for: as it is, as in a URL, in base64, and as the usual digests."""
    meanings: dict[bytes, str] = {}
    parts: dict[bytes, str] = {}
    for meaning, texts in names.items():
        for text in texts:
            if len(text) < _SHORTEST:
                continue
            raw = text.encode()
            meanings.setdefault(raw.lower(), meaning)
            meanings.setdefault(quote(text).lower().encode(), meaning)
            if meaning.startswith("name of "):
                # Base64 of whole triples only: its last characters depend on what follows.
                parts.setdefault(base64.b64encode(raw[: len(raw) // 3 * 3]).lower(), f"{meaning} in base64")
                for kind in ("md5", "sha1", "sha256"):
                    digest = hashlib.new(kind, raw, usedforsecurity=False).hexdigest()
                    meanings.setdefault(digest.encode(), f"{kind} of the {meaning}")
    whole = [Word(needle, meaning) for needle, meaning in meanings.items()]
    return whole + [Word(needle, meaning, is_whole=False) for needle, meaning in parts.items()]


def spoken(words: Iterable[Word], text: str) -> frozenset[bytes]:
    """The words that a text holds anyway; finding them beside it says nothing."""
    lower = text.lower().encode()
    return frozenset(word.needle for word in words if _stands_in(word, lower))


def find(words: Iterable[Word], data: bytes, content_type: str, innocent: frozenset[bytes] = frozenset()) -> list[Word]:
    """The words that stand in these bytes; short ones only where the bytes are text."""
    is_text = not data or content_type.startswith(_TEXT)
    lower = data.lower()
    # Compressed bytes hold little that could be read: looking only there makes hundreds of words affordable.
    readable = lower if is_text else b"\n".join(_READABLE.findall(lower))
    return [
        word
        for word in words
        if word.needle not in innocent
        and (is_text or len(word.needle) >= _SHORTEST_IN_PICTURES)
        and _stands_in(word, readable if word.needle.isascii() else lower)
    ]


def _stands_in(word: Word, lower: bytes) -> bool:
    if word.needle not in lower:
        return False
    end = rb"(?![a-z0-9])" if word.is_whole else b""
    return re.search(rb"(?<![a-z0-9])" + re.escape(word.needle) + end, lower) is not None
