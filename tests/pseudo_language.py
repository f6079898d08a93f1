"""A language made of all texts of templates and code: in Hebrew letters, in brackets, longer; short ones doubled.

A page in it shows which texts no translation reaches, what is too narrow for longer words, and what stands on the wrong
side where writing runs from right to left. Nothing of it is stored; its code is that of Hebrew, for the direction.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from babel.messages import mofile
from babel.messages.catalog import Catalog
from django.conf import settings
from django.test import override_settings

from arena.models import Category, Competition, Prompt
from config.translations import files, middleware, po_files
from providers.accounts import accounts
from providers.models import ApiKey, ImageModel, Offering

CODE = "he"
_UNCHANGED = re.compile(r"(%\(\w+\)s|%%|\{\w+\}|<[^>]+>)")
_ALPHABET = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד")


def pseudo(text: str) -> str:
    """The text in this language; placeholders and tags stay."""
    parts = [
        part if _UNCHANGED.fullmatch(part) else part.lower().translate(_ALPHABET) for part in _UNCHANGED.split(text)
    ]
    letters = "".join(parts)
    if not re.search("[א-ת]", letters):  # a form of numbers, as $%(amount)s
        return text
    if len(text) <= 12:  # as “Skip” becomes “Überspringen”: a label grows most, and has no place to break
        return f"[{letters}{'אבגדהוזחטיכל'[: len(text)]}]"
    return f"[{letters}{' אב' * (len(text) // 9)}]"


@functools.cache
def compiled() -> bytes:
    """All texts of the site in this language, as a .mo file. Collecting them takes seconds."""
    catalog = Catalog(CODE, charset="utf-8")
    for app in files.SOURCES:
        for message in po_files.collected(app):
            if isinstance(message.id, str):
                catalog.add(message.id, pseudo(message.id), context=message.context)
            else:
                one, several = (pseudo(str(text)) for text in message.id)
                forms = (one, *[several] * (catalog.num_plurals - 1))
                catalog.add(tuple(message.id), forms, context=message.context)
    file = io.BytesIO()
    mofile.write_mo(file, catalog)
    return file.getvalue()


@contextmanager
def active(folder: Path) -> Iterator[None]:
    """The site offers this language, too."""
    target = folder / CODE / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(compiled())
    middleware.chosen.cache_clear()
    with override_settings(LANGUAGES=[*settings.LANGUAGES, (CODE, "Pseudo")], LOCALE_PATHS=[folder]):
        yield
    middleware.chosen.cache_clear()


# What is the same in every language, beside names and what curators write.
_EVERYWHERE = {
    "elo", "demo", "english", "deutsch", "api", "esc", "utc", "usd", "curl", "javascript", "openai", "python", "sdk",
    "beat", "workers", "atom", "json", "url", "webp", "env", "typescript",
}  # fmt: skip
_NOT_READ = {"script", "style", "code", "pre", "template"}
_VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_ATTRIBUTES = {"alt", "aria-label", "title", "placeholder"}
_WORD = re.compile(r"[a-z]{3,}")


class _Texts(HTMLParser):
    """All that a page says, but for code and what says that it is English."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0
        self._english: list[str] = []  # open elements within one that says it is English, that one first

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._hidden += tag in _NOT_READ
        if self._english or (values.get("lang") == "en" and tag not in {"html", "button"}):
            self._english += [] if tag in _VOID else [tag]
            return
        self.texts += [text for name, text in attrs if name in _ATTRIBUTES and text]
        if tag == "meta" and (values.get("name") == "description" or (values.get("property") or "").endswith("title")):
            self.texts.append(values.get("content") or "")
        if values.get("id") == "words":
            self.texts += [text or "" for name, text in attrs if name.startswith("data-")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _NOT_READ
        if self._english and tag not in _VOID:
            self._english.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden and not self._english:
            self.texts.append(data)


def english(response: Any) -> list[str]:
    """What a page that was rendered in this language still says in English."""
    text = response.content.decode()
    assert "[" in text, "no text of this page is translated"
    return untranslated(text)


def untranslated(page: str) -> list[str]:
    """Texts of a page in this language that have English words in them."""
    parser = _Texts()
    parser.feed(page)
    known = _EVERYWHERE | _words(" ".join(_written_by_people()))
    return [" ".join(text.split()) for text in parser.texts if _words(text) - known]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(re.sub(r"\{\w+\}|https?://\S+", "", text.replace(settings.SITE_NAME, "")).lower()))


def _written_by_people() -> Iterator[str]:
    for category in Category.everything.all():
        yield f"{category.name} {category.source_name}"
    for competition in Competition.everything.all():
        yield f"{competition.title} {competition.question} {competition.criterion}"
        yield f"{competition.challenge} {competition.description}"
    for text, tags in Prompt.everything.values_list("text", "tags"):
        yield f"{text} {' '.join(tags)}"
    yield from Offering.objects.values_list("price_source", flat=True)
    yield from (account.name for account in accounts().values())
    yield from ApiKey.objects.values_list("name", flat=True)
    for model in ImageModel.everything.select_related("lab"):
        yield f"{model.name} {model.lab.name if model.lab else ''} {model.licence}"
