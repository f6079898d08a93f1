"""Database connections of threads that live longer than their work with the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


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


def release_connection() -> None:
    """Close this thread's connection, or return it to the pool; the next query opens one. Not inside a transaction."""
    connection.close()


def release_pooled_connection() -> None:
    """The same, where connections are shared by the threads of the process; elsewhere a new one would cost more."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()
