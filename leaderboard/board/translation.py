"""Sentences of the pure modules in the reader's language."""

from __future__ import annotations

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, ngettext

from providers.web.sentence import EnglishSentence, MidSentence


def translated(text: str) -> str:
    """The sentence in the active language; a text that is none stays as it is."""
    if not isinstance(text, EnglishSentence) or get_language() == settings.LANGUAGE_CODE:
        return text
    values = {name: _shown(value) for name, value in text.values.items()}
    template = ngettext(text.message, text.plural, text.number) if text.plural else gettext(text.message)
    return template % values


def _shown(value: object) -> str:
    if isinstance(value, MidSentence):
        return value.name
    if isinstance(value, int):
        return number_format(value, force_grouping=True)
    return translated(str(value) if not isinstance(value, str) else value)
