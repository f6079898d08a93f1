"""Files of images that were paid for: in the file store, or in the database until the file store takes them.

A full disk or an object store that rejects our key must not cost an image its buyer has paid for, nor make him buy it
again. What reads a file finds it in either place; a periodic task moves what waits.
"""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.db import connection

from providers.files import file_store
from providers.models import SpooledFile

log = logging.getLogger(__name__)

MAX_BYTES = 2 * 2**30  # in the database; beyond it nothing more is bought whose image has to be stored
FLUSH_LIMIT = 200  # files moved in one run


def save(name: str, content: bytes) -> None:
    """Store the file under exactly this name. Raises DatabaseError when the database does not take it either."""
    try:
        file_store.write(name, content)
    except file_store.StoreUnwritable as error:
        log.error("%s waits in the database: %s", name, error)
        SpooledFile.objects.update_or_create(name=name, defaults={"data": content})


def read(name: str) -> bytes:
    """Raises FileNotFoundError when the file is in neither place."""
    try:
        with default_storage.open(name, "rb") as file:
            return bytes(file.read())
    except Exception as error:  # object storages raise exceptions of their own
        data = SpooledFile.objects.filter(name=name).values_list("data", flat=True).first()
        if data is None:
            raise FileNotFoundError(name) from error
        return bytes(data)


def delete(name: str) -> None:
    """The file of this name, in the store or waiting for it."""
    SpooledFile.objects.filter(name=name).delete()
    file_store.delete([name])


def is_full() -> bool:
    """Whether no more files should be made: the file store takes none, and here are too many already."""
    if not file_store.known_trouble():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [SpooledFile._meta.db_table])
        return bool(cursor.fetchone()[0] > MAX_BYTES)


def flush() -> int:
    """Move what waits into the file store, if it takes files again; returns how many files."""
    names = list(SpooledFile.objects.order_by("spooled_at").values_list("name", flat=True)[:FLUSH_LIMIT])
    if not names or file_store.trouble():
        return 0
    count = 0
    for name in names:
        file = SpooledFile.objects.filter(name=name).first()
        if file is None:  # expired meanwhile
            continue
        try:
            file_store.write(name, bytes(file.data))
        except file_store.StoreUnwritable:
            break
        if SpooledFile.objects.filter(name=name).delete()[0]:
            count += 1
        else:
            file_store.delete([name])
    return count
