"""The part of Manrope that nearly every page needs, cut from the installed font when static files are collected.

The whole typeface is 58 kB compressed, more than all else of a text page; its Latin letters, figures, punctuation and
arrows are 25. `tokens.css` names both files, and browsers load the whole one only for a page with other letters in it.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

NAME = "fonts/manrope-latin.ttf"
# As `unicode-range` in tokens.css, which a test compares: Latin of Western Europe, punctuation, signs and arrows.
UNICODES = (
    "U+0000-00FF, U+0131, U+0152-0153, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122, U+2190-2193, U+2212, "
    "U+2248, U+2264-2265"
)
FEATURES = ("calt", "kern", "liga", "locl", "tnum")
WEIGHTS = (400, 800)  # that the style sheets use
_WHOLE = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"


class SubsetFontFinder(BaseFinder):
    """Finds `NAME`, and makes it when it is not there."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != NAME:
            return []
        file = str(folder() / NAME)
        return [file] if find_all else file

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        yield NAME, FileSystemStorage(location=folder())


def folder() -> Path:
    """Where the subset is, under a name that says from what it was cut."""
    whole = _WHOLE.read_bytes()
    recipe = repr((UNICODES, FEATURES, WEIGHTS)).encode()
    place = settings.VAR_DIR / "fonts" / hashlib.sha256(whole + recipe).hexdigest()[:12]
    target = place / NAME
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:  # others may be at it, too
            file.write(cut(whole))
        os.chmod(file.name, 0o644)
        os.replace(file.name, target)
    return place


def cut(whole: bytes) -> bytes:
    """A font of `UNICODES` alone; two seconds of a processor."""
    from fontTools import subset, ttLib  # only here: it takes a fifth of a second to import
    from fontTools.varLib import instancer

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # which logs every table
    options = subset.Options()
    options.layout_features = list(FEATURES)
    options.hinting = False
    options.name_IDs = [0, 1, 2, 13, 14]  # copyright, family, style and licence
    font = ttLib.TTFont(io.BytesIO(whole))
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(UNICODES.replace(" ", "")))
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
