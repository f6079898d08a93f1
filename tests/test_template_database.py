"""The database that those of the tests are copies of."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.django_db
def test_autovacuum_notes_of_no_table_that_it_is_empty_while_a_test_fills_it():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND NOT coalesce('autovacuum_enabled=off' = ANY (reloptions), false)"
        )
        assert cursor.fetchall() == []
