"""How the tables of battles and votes stand, from PostgreSQL's catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils import timezone

MONTHS_AHEAD = 3
IDS_OF_REST = "months to come have partitions"  # a CHECK of the rest of each table
TOKENS_OF_REST = "tokens of months to come begin with them"

_READ = """
SELECT c.relkind = 'p',
    ARRAY(SELECT right(i.inhrelid::regclass::text, 4) FROM pg_inherits i
          WHERE i.inhparent = c.oid AND i.inhrelid <> coalesce(to_regclass('arena_battle_rest'), 0) ORDER BY 1),
    (SELECT substring(pg_get_constraintdef(k.oid) FROM '00000000-([0-9]{4})-') FROM pg_constraint k
     WHERE k.conname = %(ids)s AND k.conrelid = coalesce(to_regclass('arena_battle_rest'), c.oid)),
    ARRAY(SELECT format('%%s %%I', k.conrelid::regclass, k.conname) FROM pg_constraint k
          WHERE NOT k.convalidated AND k.conparentid = 0
              AND (k.conname IN (%(ids)s, %(tokens)s) OR k.contype = 'f' AND k.confrelid = c.oid) ORDER BY 1)
FROM pg_class c WHERE c.oid = 'arena_battle'::regclass
"""


@dataclass(frozen=True)
class Layout:
    """Months are four digits, as in ids."""

    is_partitioned: bool
    months: list[str]  # that have partitions of their own
    first: str | None  # the month from which on the rest takes no rows; None as long as nothing is prepared
    unchecked: list[str]  # constraints that have not looked at older rows yet: table and name, quoted

    @property
    def missing(self) -> list[str]:
        """Months up to three ahead that have no partition, of those that need one."""
        if self.first is None:
            return []
        coming = [month for month in months_ahead(MONTHS_AHEAD) if month >= self.first]
        return [month for month in coming or [self.first] if month not in self.months]

    @property
    def trouble(self) -> str:
        """Why battles of this or the next month are, or will be, refused; else an empty text."""
        missing = [month for month in months_ahead(1) if month in self.missing]
        if not missing:
            return ""
        return f"no partition for battles and votes of {missing[0]}: run manage.py partition_by_month"


def read() -> Layout:
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"ids": IDS_OF_REST, "tokens": TOKENS_OF_REST})
        return Layout(*cursor.fetchone())


def months_ahead(count: int, today: date | None = None) -> list[str]:
    """This month (UTC) and the `count` after it."""
    today = today or timezone.now().date()
    months = (today.year * 12 + today.month - 1 + n for n in range(count + 1))
    return [f"{month // 12 % 100:02}{month % 12 + 1:02}" for month in months]


def lowest_id(month: str) -> str:
    return f"00000000-{month}-0000-0000-000000000000"
