"""Making the partitions, while voters vote. Each step looks whether it is done, so after a kill the command goes on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

from arena import battle_ids
from config.operations.partitions import functions, layout
from config.operations.partitions.layout import IDS_OF_REST, TOKENS_OF_REST

KEYS = {"arena_battle": "id", "arena_vote": "battle_id"}
# Shorter than deadlock_timeout (1 s): where a voter's statement and we wait for each other, we are the one to give up.
LOCK_MILLISECONDS = 300
TRIES = 100

_INDEXES = """
SELECT c.relname, i.indisprimary, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass AND (i.indisprimary OR NOT i.indisunique)
"""
_REFERENCES = """
SELECT conname, conrelid::regclass::text, confrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0 AND %s::regclass IN (conrelid, confrelid)
"""
_RIGHTS = """
SELECT format('GRANT %%s ON %%s TO %%s', privilege_type, c.oid::regclass,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_class c, aclexplode(c.relacl) WHERE c.oid = %s::regclass AND grantee <> c.relowner
"""


class CannotPartition(Exception):
    """The message says what to do."""


def convert(report: Callable[[str], None], *, dry_run: bool = False) -> None:
    """Bring the tables from whatever state they are in to partitions, up to three months ahead. Raises CannotPartition.

    `report` gets a sentence before each step. A dry run reports only.
    """
    now = layout.read()
    if now.first is not None and not now.is_partitioned and now.trouble:
        report("Started long ago, and not finished: the months to come are chosen again.")
        if not dry_run:
            _under_short_lock(_forget_months)
            now = layout.read()
    first = now.first or layout.months_ahead(2)[-1]
    if now.first is None:
        report(f"From 20{first[:2]}-{first[2:]} on, months get partitions. Tokens of old images make room for theirs.")
        if not dry_run:
            _make_room(first)
            _under_short_lock(partial(_add_checks, first))
    if not now.is_partitioned:
        report("Older rows are read to see that they have no such ids and tokens. Nobody waits for it.")
        if not dry_run:
            _validate()
        report("The tables become the partitions of what was there. Votes wait for a moment.")
        if not dry_run:
            _under_short_lock(_swap)
    if dry_run:
        report("What refers to battles is checked, and partitions are made up to three months ahead.")
        return
    _validate()
    for month in add_months():
        report(f"Partition {month}.")


def add_months() -> list[str]:
    """Make the partitions that are missing, if there are any; returns their months. Raises CannotPartition."""
    now = layout.read()
    if not now.is_partitioned:
        return []
    missing = now.missing
    for month in missing:
        _under_short_lock(partial(_add_month, month))
    return missing


def _add_month(month: str, cursor: Any) -> None:
    cursor.execute("SELECT arena_add_month(%s)", [month])


def _under_short_lock(change: Callable[[Any], object]) -> None:
    """Run the change in a transaction that waits for no lock so long that anybody notices, until it gets them all."""
    for _ in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                change(cursor)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
        time.sleep(random.uniform(0.1, 1.0))  # noqa: S311 – a pause
    raise CannotPartition(
        "Something has been using the tables all the time. Look for long transactions; then run it again."
    )


def _make_room(first: str) -> None:
    """Tokens of old battles are random: some begin like a month to come. Their images are not shown any more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        for side in ("left", "right"):
            token = f"{side}_token"
            changed = f"{token} = '{battle_ids.WITHOUT_MONTH}' || substr({token}, 5)"
            cursor.execute(f"UPDATE arena_battle SET {changed} WHERE NOT {_is_free(token, first)}")  # noqa: S608


def _is_free(token: str, first: str) -> str:
    """That the token in a column does not begin like a month to come, as SQL."""
    return f"""({token} !~ '^[0-9]{{4}}' OR left({token}, 4) COLLATE "C" < '{first}')"""


def _add_checks(first: str, cursor: Any) -> None:
    cursor.execute("LOCK TABLE arena_battle, arena_vote IN ACCESS EXCLUSIVE MODE")
    for table, key in KEYS.items():
        is_of_rest = f"{key} < '{layout.lowest_id(first)}' OR {key} >= '{battle_ids.ABOVE_MONTHS}'"
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{IDS_OF_REST}" CHECK ({is_of_rest}) NOT VALID')
    are_free = f"{_is_free('left_token', first)} AND {_is_free('right_token', first)}"
    cursor.execute(f'ALTER TABLE arena_battle ADD CONSTRAINT "{TOKENS_OF_REST}" CHECK ({are_free}) NOT VALID')


def _forget_months(cursor: Any) -> None:
    for table in KEYS:
        for name in (IDS_OF_REST, TOKENS_OF_REST):
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')


def _validate() -> None:
    for constraint in layout.read().unchecked:
        table, name = constraint.split(" ", 1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _swap(cursor: Any) -> None:
    """Each table becomes the default partition of a new one of its name. Its indexes and foreign keys become parts of
    the new table's, so none is built or checked here."""
    cursor.execute("LOCK TABLE arena_battle, arena_vote IN ACCESS EXCLUSIVE MODE")
    for table, key in KEYS.items():
        _replace(cursor, table, key)
    cursor.execute(functions.ADD_MONTH)
    cursor.execute(functions.PAIR_IS_NEW)
    cursor.execute(functions.ON_BATTLES)


def _replace(cursor: Any, table: str, key: str) -> None:
    rest, quote = f"{table}_rest", connection.ops.quote_name
    indexes, references, rights = (_rows(cursor, query, table) for query in (_INDEXES, _REFERENCES, _RIGHTS))
    cursor.execute(f"ALTER TABLE {table} RENAME TO {rest}")
    cursor.execute(
        f"CREATE TABLE {table} (LIKE {rest} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)"
        f" PARTITION BY RANGE ({key})"
    )
    for name in (IDS_OF_REST, TOKENS_OF_REST):
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
    for name, is_primary, definition in indexes:
        cursor.execute(f"ALTER INDEX {quote(name)} RENAME TO {quote(f'{name} rest')}")
        cursor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} PRIMARY KEY ({key})" if is_primary else definition
        )
    for name, referring, referred, definition in references:
        if referring == table and referred != "arena_battle_rest":  # votes refer to battles partition by partition
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} {definition}")
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {rest} DEFAULT")
    for name, referring, referred, definition in references:
        if referred == table and referring not in KEYS:
            cursor.execute(f"ALTER TABLE {referring} DROP CONSTRAINT {quote(name)}")
            cursor.execute(f"ALTER TABLE {referring} ADD CONSTRAINT {quote(name)} {definition} NOT VALID")
    for (right,) in rights:
        cursor.execute(right)


def _rows(cursor: Any, query: str, table: str) -> list[tuple[Any, ...]]:
    cursor.execute(query, [table])
    return list(cursor.fetchall())
