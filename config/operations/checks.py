"""What `migrate` and `check --database default` look at in the database before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError, connections


def encoding(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """SQL_ASCII stores anything and finds nothing, LATIN1 fails at the first 猫."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SHOW server_encoding")
                (name,) = cursor.fetchone()
        except DatabaseError:
            continue  # a database that is away is reported by what needs it
        if name != "UTF8":
            hint = "CREATE DATABASE arena ENCODING 'UTF8' TEMPLATE template0"
            messages.append(Error(f"The database is encoded in {name}; it must be UTF8.", hint=hint, id="arena.E001"))
    return messages
