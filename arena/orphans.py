"""Files that no row names: left behind where a store failed, a worker died or a file could not be deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.core.files.storage import default_storage
from django.db.models import Model
from django.utils import timezone

from providers.files import file_store

from .models import Entry, Prompt, Suggestion

log = logging.getLogger(__name__)

MIN_AGE = timedelta(hours=6)  # far longer than a file waits for the row that names it
CHUNK = 5_000  # names looked up in one query
# Which columns name the files of a folder.
COLUMNS: dict[str, tuple[tuple[type[Model], str], ...]] = {
    "battle": ((Entry, "image"), (Entry, "small")),
    "public": ((Entry, "thumbnail"),),
    "originals": ((Entry, "original"),),
    "sources": ((Prompt, "source_image"), (Suggestion, "source_image")),
    file_store.PROBE_FOLDER: (),
    "imports": (),  # uploads between their dry run and their confirmation
}


def sweep(min_age: timedelta = MIN_AGE) -> int:
    """Delete the files of the arena's folders that no row names and that are older than `min_age`; returns how many."""
    before = timezone.now() - min_age
    count = 0
    for folder, columns in COLUMNS.items():
        for names in _chunks(folder):
            for model, column in columns:
                rows = model._default_manager.filter(**{f"{column}__in": names})
                names -= set(rows.values_list(column, flat=True))
            old = _tolerant(lambda names=names: [n for n in names if default_storage.get_modified_time(n) < before])  # type: ignore[misc]
            file_store.delete(old)
            count += len(old)
    if count:
        log.info("%s orphan files deleted", count)
    return count


def _chunks(folder: str) -> Iterator[set[str]]:
    names = _tolerant(lambda: [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]])
    for start in range(0, len(names), CHUNK):
        yield set(names[start : start + CHUNK])


def _tolerant(listing: Callable[[], list[str]]) -> list[str]:
    """What the store lists; nothing where it fails: there is another run in an hour."""
    try:
        return listing()
    except FileNotFoundError:  # nothing was ever stored there, or somebody else deleted it just now
        return []
    except Exception:
        log.exception("the file store cannot be listed")
        return []
