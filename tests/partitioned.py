"""A database of its own, in which battles and votes are partitioned, and the present month is in a partition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from arena import battle_ids
from arena.models import Battle
from config.operations import partitions
from tests import factories as make
from tests import template_database


@contextmanager
def own_database() -> Iterator[None]:
    """A database like the tests', without rows, that Django uses meanwhile."""
    settings, home = connection.settings_dict, connection.settings_dict["NAME"]
    name = f"{home}_own"
    connection.close()
    template = template_database.prepare()  # nobody is connected to it, as a thread of another test may be to `home`
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    settings["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = home
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def middle_of_month(ahead: int) -> datetime:
    """Of the month that is so many months ahead, or ago."""
    months = (now := datetime.now(UTC)).year * 12 + now.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 15, tzinfo=UTC)


@contextmanager
def clock_moved(months: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: middle_of_month(months))
        yield


def convert_two_months_ago() -> list[str]:
    """What the command reports: from this month on, each has a partition."""
    said: list[str] = []
    with clock_moved(-2):
        partitions.convert(said.append)
    partitions.add_months()
    return said


def battle_of(ahead: int, **fields: Any) -> Battle:
    """A battle that begins with the month that is so many months ahead."""
    pk = battle_ids.new_id(middle_of_month(ahead))
    tokens = {f"{side}_token": battle_ids.new_token(pk) for side in ("left", "right")}
    return make.make_battle(id=pk, **tokens | fields)
