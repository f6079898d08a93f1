"""Connections to Postgres that many threads share (settings: DATABASE_POOL).

Django gives its pool a `check` of its own beside the options from the settings, so a cheaper one cannot be passed in:
it has to be the connection that answers the check's empty statement more cheaply.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg


class PooledConnection(psycopg.Connection[Any]):
    """Looks at its socket before it asks the server whether it is still there.

    A pool checks a connection whenever it lends it, with an empty statement: one more round trip for every use. When
    Postgres stops or ends the connection, its last message waits in the socket; while nothing waits there, nothing has
    happened. A host that vanished without one would not answer the empty statement either.
    """

    def execute(self, query: Any, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        if query == "" and not self.closed and self._is_quiet():
            return self.cursor()
        return super().execute(query, *arguments, **options)

    def _is_quiet(self) -> bool:
        look = select.poll()  # select() knows no descriptors above 1023
        look.register(self.fileno(), select.POLLIN)
        return not look.poll(0)
