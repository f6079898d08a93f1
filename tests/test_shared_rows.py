"""Rows that the tests of a module share are in one long transaction, which has a danger of its own."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from tests.shared_rows import SharedRows


@pytest.mark.django_db
def test_vacuum_waits_for_shared_rows_or_the_planner_would_take_their_tables_for_empty(shared_rows: SharedRows):
    parameters = {**connection.get_connection_params(), "autocommit": True}
    names = ("host", "port", "user", "password", "dbname", "autocommit")
    with psycopg.connect(**{name: parameters[name] for name in names if name in parameters}) as other:
        other.execute("SET lock_timeout = '10ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("VACUUM arena_vote")
