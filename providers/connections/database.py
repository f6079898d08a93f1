"""Database connections of threads that live longer than their work with the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.utils import load_backend


@contextmanager
def connection_released() -> Iterator[None]:
    """Around work with the database, or as a decorator (`@connection_released()`): the thread's connection is closed
    afterwards, or returned to the pool. A worker has many threads, and an idle one must not occupy one of Postgres'
    connections.
    """
    try:
        yield
    finally:
        release_connection()


@contextmanager
def one_moment() -> Iterator[None]:
    """All queries inside see the database as it was at the first one. Nothing changes inside a transaction."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def release_connection() -> None:
    """Close this thread's connection, or return it to the pool; the next query opens one. Not inside a transaction."""
    connection.close()


def release_pooled_connection() -> None:
    """Return this thread's connection to the pool where threads share one; elsewhere a new one would cost more."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


def share_connections() -> None:
    """For threads of a pool, once in each: they take connections from a pool of `SHARED_CONNECTIONS` (of the process).

    Other threads of the same process, such as those of pages, have a connection each. Nothing changes where all threads
    share connections anyway (DATABASE_POOL), and in commands.
    """
    if settings.SHARED_CONNECTIONS is None:
        return
    own = connections.settings["default"]
    shared = {**own, **settings.SHARED_CONNECTIONS, "OPTIONS": own["OPTIONS"] | settings.SHARED_CONNECTIONS["OPTIONS"]}
    connections["default"] = load_backend(shared["ENGINE"]).DatabaseWrapper(shared, "default")
