"""Translations (.po) as Django reads them (.mo): compiled at start when they have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def compile_changed(sources: Iterable[Path]) -> list[Path]:
    """Compile each .po file whose .mo beside it is not of this very state of it; returns the .mo files written.

    The .mo file gets the time of its source, so a source that is replaced by an older one is noticed, too. Several
    processes that start at once write the same bytes, each under the file's name in one step. Raises
    ImproperlyConfigured where the folder cannot be written.
    """
    changed = [source for source in sources if not _is_compiled(source)]
    try:
        return [_compile(source) for source in changed]
    except OSError as error:
        raise ImproperlyConfigured(
            f"Translations cannot be compiled ({error}): run manage.py collectstatic as a user who may write there."
        ) from error


def _is_compiled(source: Path) -> bool:
    try:
        return source.with_suffix(".mo").stat().st_mtime_ns == source.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _compile(source: Path) -> Path:
    from babel.messages import mofile, pofile  # 0.1 s that a start with compiled translations saves

    stat = source.stat()
    with source.open("rb") as file:
        catalog = pofile.read_po(file, abort_invalid=True)
    target = source.with_suffix(".mo")
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        mofile.write_mo(file, catalog)
    os.utime(unfinished, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    unfinished.replace(target)
    return target
