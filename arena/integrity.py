"""Which votes count. A vote is never deleted: it is excluded, with a reason and the rule's version, and may come back.

Every change moves the tallies in its own transaction, so ledger, tallies and nightly recount always agree.

The cap. Of one voter's votes in one category, at most `CAP` of any `CAP_DAYS` days count, first come: a few people who
vote all day would otherwise rule the board, and fool its intervals (with Zipf-like activity a cap of 200 makes ratings
29 % more accurate, using a third fewer votes). The vote itself decides (`battles.cast_vote`): one beyond the cap is
stored, but excluded by the rule `CAP_RULE`, so it is in no tally and every later count agrees without knowing of caps.
The decision is final: excluding an earlier vote does not admit a later one, or a board would depend on when we looked.
Votes in flight at the same moment do not see each other, so a voter who holds n open battles can pass the cap by n − 1;
the site gives out one to answer and two to load ahead. Imported votes are somebody else's study and have no cap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

CAP = 200
CAP_DAYS = 90
CAP_RULE = "cap-1"
CAP_REASON = f"beyond this voter's {CAP} counted votes in {CAP_DAYS} days"

_LOCK = 0x45786331  # exclusions run one at a time, so that two of them cannot wait for each other

_EXCLUDE = """
WITH moved AS (
    UPDATE arena_vote SET excluded_reason = %(reason)s, excluded_rule = %(rule)s
    WHERE battle_id = ANY(%(votes)s) AND excluded_reason = ''
    RETURNING category_id, (cast_at AT TIME ZONE 'UTC')::date AS day, left_model_id, right_model_id, outcome
)"""
_INCLUDE = """
WITH moved AS (
    UPDATE arena_vote SET excluded_reason = '', excluded_rule = ''
    WHERE battle_id = ANY(%(votes)s) AND excluded_reason <> '' AND %(rule)s IN ('', excluded_rule)
    RETURNING category_id, (cast_at AT TIME ZONE 'UTC')::date AS day, left_model_id, right_model_id, outcome
)"""
_CELLS = """
SELECT category_id, day, left_model_id, right_model_id, outcome, count(*) FROM moved GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
"""
_SUBTRACT = """
UPDATE arena_tally SET n = n - %s, changed_at = clock_timestamp()
WHERE category_id = %s AND day = %s AND left_model_id = %s AND right_model_id = %s AND outcome = %s
"""
_ADD = """
INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
DO UPDATE SET n = arena_tally.n + excluded.n, changed_at = clock_timestamp()
"""


def exclude(votes: Iterable[UUID], reason: str, rule: str) -> int:
    """Stop counting these votes (ids of their battles); returns how many counted until now.

    A vote that is excluded already keeps its first reason. `rule` names the rule and its version, as "cap-1".
    """
    if not reason or not rule:
        raise ValueError("an exclusion names its reason and its rule")
    with transaction.atomic():
        cells = _move(_EXCLUDE, {"votes": list(votes), "reason": reason, "rule": rule})
        with connection.cursor() as cursor:
            cursor.executemany(_SUBTRACT, [(n, *cell) for *cell, n in cells if cell[2] != cell[3]])
    return sum(n for *_, n in cells)


def include(votes: Iterable[UUID], rule: str = "") -> int:
    """Count these votes again – only those that `rule` excluded, when it is given; returns how many came back."""
    with transaction.atomic():
        cells = _move(_INCLUDE, {"votes": list(votes), "rule": rule})
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [tuple(row) for row in cells if row[2] != row[3]])
    return sum(n for *_, n in cells)


def _move(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Flag the votes and return the tally cells to move, in the order in which every writer of several cells locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(statement + _CELLS, parameters)
        return list(cursor.fetchall())
