"""Which texts templates and Python ask translations of, and the .po files that list them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog, pofile
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

from config.translations.files import SOURCES, catalog_path

_FUNCTIONS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "sentence": None,  # providers/web/sentence.py
    "sentences": (1, 2),
}
_CALL = re.compile(rf"\b(?:{'|'.join(_FUNCTIONS)})\(")


def collected(app: str) -> Catalog:
    """The texts of an app, untranslated, with the files they are in."""
    catalog = Catalog(project="Image Arena", charset="utf-8")
    base = Path(settings.BASE_DIR)
    for path in sorted(_files(base, app)):
        source = path.read_text()
        if path.suffix == ".html":
            # What is left of a template is calls among blanked text, which has no indentation that would mean anything.
            source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
        if not _CALL.search(source):
            continue  # most modules have no text, and reading them token by token takes long
        file = io.BytesIO(source.encode())
        for _, message, comments, context in extract("python", file, _FUNCTIONS, ["Translators:"]):
            catalog.add(
                message, locations=[(path.relative_to(base).as_posix(), 0)], auto_comments=comments, context=context
            )
    return catalog


def _files(base: Path, app: str) -> Iterator[Path]:
    for name in SOURCES[app]:
        if "*" in name:
            yield from base.glob(name)
        else:
            yield from (path for path in (base / name).rglob("*") if path.suffix in {".html", ".py"})


def updated(app: str, language: str) -> str:
    """The text of an app's .po file with exactly the collected texts, and the translations it had of them."""
    path = catalog_path(app, language)
    catalog = Catalog(language, charset="utf-8")
    if path.exists():
        with path.open("rb") as file:
            catalog = pofile.read_po(file, language)
    catalog.update(collected(app), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    text = io.BytesIO()
    pofile.write_po(text, catalog, width=118, omit_header=True, sort_output=False, include_lineno=False)
    header = _HEADER.format(language=language, plurals=catalog.plural_forms)
    return header + text.getvalue().decode()


_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
