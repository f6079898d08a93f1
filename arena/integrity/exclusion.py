"""Single votes, out and in again.

A vote is never deleted: it is excluded, with a reason and the rule's version, and may come back.

Every change moves the tallies in its own transaction, so ledger, tallies and nightly recount always agree.

How many votes of one voter count is decided by the vote itself, and again as the board grows: see `caps`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

DAILY_DAYS = 120  # tallies are stored per day for so long at least; the longest window of a board is 90

_LOCK = 0x45786331  # exclusions run one at a time, so that two of them cannot wait for each other

# Votes by unordered pair of images, as arena_imagetally counts them.
_IMAGE_COUNTS = """
SELECT least(b.left_id, b.right_id) AS low, greatest(b.left_id, b.right_id) AS high,
    count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id < b.right_id THEN 'left' ELSE 'right' END) AS low_wins,
    count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id < b.right_id THEN 'right' ELSE 'left' END) AS high_wins,
    count(*) FILTER (WHERE v.outcome = 'tie') AS ties, count(*) FILTER (WHERE v.outcome = 'both_bad') AS both_bad
FROM {votes} v JOIN arena_battle b ON b.id = v.battle_id GROUP BY 1, 2"""

_MOVED_IMAGES = _IMAGE_COUNTS.format(votes="moved")

_EXCLUDE = f"""
WITH moved AS (
    UPDATE arena_vote SET excluded_reason = %(reason)s, excluded_rule = %(rule)s
    WHERE battle_id = ANY(%(votes)s) AND excluded_reason = ''
    RETURNING battle_id, category_id, (cast_at AT TIME ZONE 'UTC')::date AS day, left_model_id, right_model_id, outcome
), images AS (
    UPDATE arena_imagetally t SET low_wins = t.low_wins - gone.low_wins, high_wins = t.high_wins - gone.high_wins,
        ties = t.ties - gone.ties, both_bad = t.both_bad - gone.both_bad
    FROM ({_MOVED_IMAGES}) gone WHERE t.low_id = gone.low AND t.high_id = gone.high
)"""  # noqa: S608 - our own names
_INCLUDE = f"""
WITH moved AS (
    UPDATE arena_vote SET excluded_reason = '', excluded_rule = ''
    WHERE battle_id = ANY(%(votes)s) AND excluded_reason <> '' AND %(rule)s IN ('', excluded_rule)
    RETURNING battle_id, category_id, (cast_at AT TIME ZONE 'UTC')::date AS day, left_model_id, right_model_id, outcome
), images AS (
    INSERT INTO arena_imagetally AS t (low_id, high_id, low_wins, high_wins, ties, both_bad)
    {_MOVED_IMAGES} ORDER BY 1, 2
    ON CONFLICT (low_id, high_id) DO UPDATE SET
        low_wins = t.low_wins + excluded.low_wins, high_wins = t.high_wins + excluded.high_wins,
        ties = t.ties + excluded.ties, both_bad = t.both_bad + excluded.both_bad
)"""  # noqa: S608 - our own names
_STANDING = """
INSERT INTO arena_voterprogress AS s (voter_id, category_id, turn, excluded_reason, excluded_rule)
VALUES (%(voter)s, %(category)s, 1, %(reason)s, %(rule)s)
ON CONFLICT (voter_id, category_id) DO UPDATE
SET excluded_reason = excluded.excluded_reason, excluded_rule = excluded.excluded_rule
"""
_CELLS = """
SELECT category_id, day, left_model_id, right_model_id, outcome, count(*) FROM moved GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
"""
_SUBTRACT = """
UPDATE arena_tally SET n = arena_tally.n - least(was.n, %(n)s), changed_at = clock_timestamp()
FROM (
    SELECT id, n FROM arena_tally
    WHERE category_id = %(category)s AND day = %(day)s AND left_model_id = %(left)s AND right_model_id = %(right)s
        AND outcome = %(outcome)s
    FOR UPDATE
) was
WHERE arena_tally.id = was.id
RETURNING least(was.n, %(n)s)
"""
_ADD = """
INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
DO UPDATE SET n = arena_tally.n + excluded.n, changed_at = clock_timestamp()
"""


def exclude(votes: Iterable[UUID], reason: str, rule: str, *, standing: tuple[int, int] | None = None) -> int:
    """Stop counting these votes (ids of their battles); returns how many counted until now.

    A vote that is excluded already keeps its first reason. `rule` names the rule and its version, as "side-1". With
    `standing`, a voter and a category, that voter's later votes there do not count either, for the same reason.
    """
    if not reason or not rule:
        raise ValueError("an exclusion names its reason and its rule")
    with transaction.atomic():
        cells = _move(_EXCLUDE, {"votes": list(votes), "reason": reason, "rule": rule})
        if standing is not None:
            _set_standing(standing, reason, rule)
        _subtract_cells(cells)
    return sum(n for *_, n in cells)


def take_turn() -> None:
    """Wait until no other exclusion runs; before the transaction's first row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _set_standing(standing: tuple[int, int], reason: str, rule: str) -> None:
    """Before any tally is locked, as a vote does it."""
    voter, category = standing
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"voter": voter, "category": category, "reason": reason, "rule": rule})


def subtract(cells: Iterable[tuple[Any, ...]]) -> None:
    """Take votes that are withdrawn out of the tallies: (category, day, left model, right model, outcome, votes)."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _subtract_cells(cells)


def _subtract_cells(cells: Iterable[tuple[Any, ...]]) -> None:
    for category, day, left, right, outcome, n in cells:
        if left != right:
            _subtract({"category": category, "left": left, "right": right, "outcome": outcome}, day, n)


def _subtract(cell: dict[str, Any], day: date, n: int) -> None:
    """From the day, or what is not there any more from its month: old days are rolled up (see `roll_up`)."""
    with connection.cursor() as cursor:
        for place in dict.fromkeys((day, day.replace(day=1))):
            if n > 0:
                cursor.execute(_SUBTRACT, {**cell, "day": place, "n": n})
                row = cursor.fetchone()
                n -= row[0] if row else 0


def include(votes: Iterable[UUID], rule: str = "", *, standing: tuple[int, int] | None = None) -> int:
    """Count these votes again – only those that `rule` excluded, when it is given; returns how many came back. With
    `standing`, a voter and a category, that voter's later votes count there, too."""
    with transaction.atomic():
        cells = _move(_INCLUDE, {"votes": list(votes), "rule": rule})
        if standing is not None:
            _set_standing(standing, "", "")
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [tuple(row) for row in cells if row[2] != row[3]])
    return sum(n for *_, n in cells)


_ROLL_UP = """
WITH gone AS (
    DELETE FROM arena_tally WHERE day < %(before)s AND day <> date_trunc('month', day)::date
    RETURNING category_id, day, left_model_id, right_model_id, outcome, n, changed_at
)
INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
SELECT category_id, date_trunc('month', day)::date, left_model_id, right_model_id, outcome, sum(n), max(changed_at)
FROM gone GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) > 0 ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
DO UPDATE SET n = arena_tally.n + excluded.n, changed_at = greatest(arena_tally.changed_at, excluded.changed_at)
"""


_IMAGE_DIFFERENCES = """
SELECT coalesce(t.low_id, c.low), coalesce(t.high_id, c.high)
FROM arena_imagetally t
FULL JOIN ({counts}) c ON c.low = t.low_id AND c.high = t.high_id
WHERE (coalesce(t.low_wins, 0), coalesce(t.high_wins, 0), coalesce(t.ties, 0), coalesce(t.both_bad, 0))
    <> (coalesce(c.low_wins, 0), coalesce(c.high_wins, 0), coalesce(c.ties, 0), coalesce(c.both_bad, 0))
""".format(counts=_IMAGE_COUNTS.format(votes="(SELECT battle_id, outcome FROM arena_vote WHERE excluded_reason = '')"))
_PROGRESS_DIFFERENCES = """
WITH counted AS (
    SELECT b.voter_id, c.category_id, count(v.battle_id) AS votes,
        count(*) FILTER (WHERE v.battle_id IS NOT NULL OR b.skipped_at IS NOT NULL) AS seen, 8 * count(*) AS met,
        count(*) FILTER (WHERE v.battle_id IS NULL AND b.skipped_at IS NULL) AS waiting
    FROM arena_battle b
    JOIN arena_prompt p ON p.id = b.prompt_id
    JOIN arena_competition c ON c.id = p.competition_id
    LEFT JOIN arena_vote v ON v.battle_id = b.id
    GROUP BY 1, 2
)
SELECT coalesce(s.voter_id, n.voter_id), coalesce(s.category_id, n.category_id)
FROM arena_voterprogress s FULL JOIN counted n ON n.voter_id = s.voter_id AND n.category_id = s.category_id
WHERE (coalesce(s.votes, 0), coalesce(s.seen, 0), coalesce(octet_length(s.met), 0), coalesce(cardinality(s.waiting), 0))
    <> (coalesce(n.votes, 0), coalesce(n.seen, 0), coalesce(n.met, 0), coalesce(n.waiting, 0))
"""


def image_differences() -> list[tuple[int, int]]:
    """Pairs of images (smaller id first) whose tally and votes disagree. Empty is how it must be."""
    with connection.cursor() as cursor:
        cursor.execute(_IMAGE_DIFFERENCES)
        return list(cursor.fetchall())


def progress_differences() -> list[tuple[int, int]]:
    """Voters and categories whose progress disagrees with their battles and votes. Empty is how it must be."""
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS_DIFFERENCES)
        return list(cursor.fetchall())


def first_daily(today: date) -> date:
    """The first day that has tallies of its own: that of the month `DAILY_DAYS` ago."""
    return (today - timedelta(days=DAILY_DAYS)).replace(day=1)


def roll_up(today: date) -> None:
    """Tallies of months that no window of days looks at any more become one row per cell and month, on its first day.

    So a board that is years old reads a few hundred days at most, and a year adds twelve rows per cell, not 365. The
    sums stay, and so does the time at which they moved last: no board has to be computed for it. Old votes may still be
    excluded and come back, one at a time with this; an imported file may add old days, which the next night rolls up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_ROLL_UP, {"before": first_daily(today)})


def _move(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Flag the votes and return the tally cells to move, in the order in which every writer of several cells locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(statement + _CELLS, parameters)
        return list(cursor.fetchall())
