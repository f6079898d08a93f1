"""A thread that is done with the database leaves no connection open."""

from __future__ import annotations

import pathlib

import pytest
from django.conf import settings
from django.db import connection

from providers.connections.database import connection_released


@pytest.mark.django_db(transaction=True)
def test_the_connection_is_released_whether_the_work_succeeds_or_fails():
    @connection_released()
    def work(divisor: int) -> float:
        connection.ensure_connection()
        return 1 / divisor

    assert work(1) == 1
    assert connection.connection is None
    with pytest.raises(ZeroDivisionError):
        work(0)
    assert connection.connection is None


def test_connections_are_closed_in_one_place():
    apps = ("providers", "arena", "leaderboard", "config")
    files = [file for app in apps for file in pathlib.Path(settings.BASE_DIR, app).rglob("*.py")]
    closing = [str(file) for file in files if "\n        connection.close()" in file.read_text()]
    assert [file.rpartition("providers/")[2] for file in closing] == ["connections/database.py"]
