"""One word for each thing, and that of the field: words that once misled readers stay out of code, pages and docs.

Looked for in identifiers (also inside them: `kept_rows`), docstrings, comments, templates and documents. A word that is
right in its place stands in JUSTIFIED with its reason.
"""

from __future__ import annotations

import ast
import functools
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APPS = ("arena", "config", "leaderboard", "providers")

# Word or phrase → what to write instead. Matched as whole words, case-blind.
FORBIDDEN = {
    "anew": "again, recomputed, re-rendered",
    "begun": "started, started_at",
    "drawn by lot": "randomised",
    "keepers": "not “both bad”",
    "kept": "cached, stored, unchanged",
    "lately": "recent, window",
    "made again": "recomputed, retried",
    "of ours": "our own, internal",
    "patience": "timeout",
    "printed": "rendered, cached page",
    "reprint": "re-render",
    "the clock": "Celery beat, periodic task",
    "told": "reported, returned, shown",
    "told apart": "distinguished",
    "tells": "returns, reports, shows",
    "whoever": "the caller, the client, the voter",
    "wish": "filters, params",
    "wishes": "filters, params",
}
# Words that are wrong as a whole variable, parameter or attribute name; in prose they are English.
FORBIDDEN_NAMES = {"each": "the element's noun", "found": "the thing's name", "wanted": "filters, requested"}

JUSTIFIED: dict[tuple[str, str], str] = {
    ("templates/leaderboard/rankings/_table.html", "keepers"): "a query parameter of URLs that are shared",
}


def sources() -> Iterator[Path]:
    for app in (*APPS, "tests", "benchmarks"):
        yield from (path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def documents() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    yield from (ROOT / "docs").glob("*.md")
    yield from (path for path in (ROOT / "templates").rglob("*") if path.is_file())
    yield from (ROOT / "static" / "js").glob("*.js")
    yield from (ROOT / "static" / "css").glob("*.css")
    yield from (path for path in (ROOT / "bin").iterdir() if path.is_file())
    yield ROOT / ".env.example"


def tokens_of(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def prose_of(text: str, tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[int, str]]:
    """Lines of comments and docstrings; other string literals are data or are seen through templates."""
    for token in tokens:
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and ast.get_docstring(node):
                for offset, line in enumerate(str(first.value.value).splitlines()):
                    yield first.lineno + offset, line


def names_of(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def words_of(name: str) -> str:
    """keptRows, kept_rows and KEPT_ROWS → "kept rows"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", name).lower().strip()


_ANY = re.compile(rf"\b(?:{'|'.join(FORBIDDEN)})\b", re.IGNORECASE)
# Where one of these names may be code: prose goes on with a word, code only with a keyword.
_NAME = re.compile(rf"\b(?:{'|'.join(FORBIDDEN_NAMES)})\b(?! +(?!(?:{'|'.join(keyword.kwlist)})\b)\w)")


@functools.cache
def forbidden_in(identifier: str) -> list[str]:
    whole = [identifier] if identifier in FORBIDDEN_NAMES else []
    return whole + [match[0] for match in _ANY.finditer(words_of(identifier))]


@functools.cache
def uses() -> list[tuple[str, int, str]]:
    """(path, line, word) of every forbidden word."""
    return list(_uses())


def _uses() -> Iterator[tuple[str, int, str]]:
    for path in documents():
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield from ((name, number, match[0].lower()) for match in _ANY.finditer(line))
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        if path == Path(__file__):
            continue
        text = path.read_text()
        if not _NAME.search(text) and not _ANY.search(words_of(text)):  # a tokenizer is slow
            continue
        tokens = tokens_of(text)
        for number, line in prose_of(text, tokens):
            yield from ((name, number, match[0].lower()) for match in _ANY.finditer(line))
        for number, identifier in names_of(tokens):
            yield from ((name, number, word) for word in forbidden_in(identifier))


def test_the_words_of_the_field_are_used():
    left = [use for use in uses() if (use[0], use[2]) not in JUSTIFIED]
    assert not left, "\n".join(
        f"{name}:{number}: “{word}” – write: {FORBIDDEN.get(word) or FORBIDDEN_NAMES[word]}"
        for name, number, word in left
    )


def test_no_justification_outlives_its_use():
    present = {(name, word) for name, _, word in uses()}
    assert set(JUSTIFIED) - present == set()


@pytest.mark.parametrize("app", APPS)
def test_no_class_name_occurs_twice_in_an_app(app):
    places: dict[str, set[str]] = {}
    for path in (ROOT / app).rglob("*.py"):
        if {"migrations", "commands"} & set(path.parts):  # Django gives those the names Migration and Command
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(path.relative_to(ROOT).as_posix())
    twice = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert not twice


def test_the_words_of_an_identifier_are_seen():
    assert words_of("keptRows") == words_of("KEPT_ROWS") == words_of("_kept_rows") == "kept rows"
    assert _ANY.search(words_of("keptRows"))
    assert not _ANY.search(words_of("unprintedly"))
