"""What a voter has in a category – the battles that wait, what was met, counts –, as one statement reads it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from arena import rounds
from arena.battles.rows import COLUMNS, JOINS, MAKER_JOINS, MAKERS, BattleRow, battle_row
from arena.models import VoterProgress


@dataclass(frozen=True, slots=True)
class VoterState:
    """What a voter has in a category: the battle that was asked for, what waits for an answer, and counts.

    `waiting` is without that battle, in the order in which it is to be answered: what was shown, then what was assigned
    first; images that were withdrawn are left out.
    """

    voter: int
    turn: int
    votes: int
    seen: int
    uncounted: int  # votes of the last round, as bits
    met: bytes  # `pairing.unpack`
    battle: BattleRow | None
    waiting: list[BattleRow]


# Battles that are assigned together share their times: only their order in the row distinguishes them.
_IN_ORDER = "ORDER BY b.served_at, array_position(s.waiting, b.id)"
# `met` comes once, with the first row: it is the only column that grows with a voter. LIMIT 1 says that an id is one
# row in however many partitions (docs/capacity.md), so that there is one plan for all battles; and it keeps a planner
# that knows voters of one battle each off the voter's index, which would read all battles of this one.
_OF_BATTLE = f"""
SELECT own.voter_id, s.turn, s.votes, s.seen, s.uncounted, CASE WHEN b.id = own.id THEN s.met END, {COLUMNS},
    {MAKERS}
FROM (
    SELECT id, voter_id, (
        SELECT within.category_id FROM arena_prompt asked
        JOIN arena_competition within ON within.id = asked.competition_id WHERE asked.id = prompt_id
    ) AS category_id
    FROM arena_battle WHERE id = %(battle)s LIMIT 1
) own
LEFT JOIN arena_voterprogress s ON s.voter_id = own.voter_id AND s.category_id = own.category_id
CROSS JOIN LATERAL unnest(array_append(array_remove(s.waiting, own.id), own.id)) AS waits (battle)
CROSS JOIN LATERAL (SELECT * FROM arena_battle WHERE id = waits.battle LIMIT 1) b
{JOINS} {MAKER_JOINS}
WHERE own.voter_id = %(voter)s
{_IN_ORDER}
"""  # noqa: S608 – our own names, no value of a request
_OF_CATEGORY = f"""
SELECT who.id, s.turn, s.votes, s.seen, s.uncounted,
    CASE WHEN b.id IS NULL OR b.id = s.waiting[1] THEN s.met END, {COLUMNS}
FROM arena_voter who
LEFT JOIN arena_voterprogress s ON s.voter_id = who.id AND s.category_id = %(category)s
LEFT JOIN LATERAL unnest(s.waiting) AS waits (battle) ON true
LEFT JOIN LATERAL (SELECT * FROM arena_battle WHERE id = waits.battle LIMIT 1) b ON true
{JOINS}
WHERE who.id = %(voter)s
{_IN_ORDER}
"""  # noqa: S608 – our own names, no value of a request


def look_at(voter: int, battle: uuid.UUID) -> VoterState | None:
    """The voter's state around one battle of theirs; None when there is no such battle, or it is somebody else's."""
    return _state(_OF_BATTLE, {"voter": voter, "battle": battle}, battle)


def look_for(voter: int, category: int) -> VoterState | None:
    """The voter's state in a category; None when there is no such voter."""
    return _state(_OF_CATEGORY, {"voter": voter, "category": category}, None)


def _state(statement: str, parameters: dict[str, Any], battle: uuid.UUID | None) -> VoterState | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    if not rows:
        return None
    voter, turn, votes, seen, uncounted, _ = rows[0][:6]
    met = next((bytes(row[5]) for row in rows if row[5] is not None), b"")
    all_rows = [battle_row(row[6:], with_makers=row[6] == battle) for row in rows if row[6] is not None]
    own = next((row for row in all_rows if row.pk == battle), None)
    waiting = [row for row in all_rows if row is not own and row.is_live and not row.is_answered]
    return VoterState(voter, turn or 0, votes or 0, seen or 0, uncounted or 0, met, own, waiting)


_RECOUNT = """
SELECT count(v.battle_id), count(*) FILTER (WHERE v.battle_id IS NOT NULL OR b.skipped_at IS NOT NULL),
    coalesce(array_agg(b.id ORDER BY b.served_at, array_position(%(waiting)s::uuid[], b.id), b.expires_at, b.id)
        FILTER (WHERE v.battle_id IS NULL AND b.skipped_at IS NULL), '{}'),
    coalesce(string_agg(int4send(b.left_id::int) || int4send(b.right_id::int), ''::bytea
        ORDER BY b.served_at NULLS LAST, b.expires_at), ''),
    array_agg(b.skipped_at) FILTER (
        WHERE b.skipped_at IS NOT NULL AND NOT EXISTS (SELECT FROM arena_report r WHERE r.battle_id = b.id)
    ), max(v.cast_at),
    array_agg(v.excluded_reason <> '' ORDER BY v.cast_at, v.battle_id) FILTER (WHERE v.battle_id IS NOT NULL)
FROM arena_battle b
JOIN arena_prompt p ON p.id = b.prompt_id
JOIN arena_competition c ON c.id = p.competition_id AND c.category_id = %(category)s
LEFT JOIN arena_vote v ON v.battle_id = b.id
WHERE b.voter_id = %(voter)s
"""


def rebuild_progress(voter: int, category: int) -> VoterProgress:
    """Recompute a voter's progress in a category from their battles and votes; what waits keeps its order."""
    with transaction.atomic():
        VoterProgress.objects.bulk_create([VoterProgress(voter_id=voter, category_id=category)], ignore_conflicts=True)
        # Locked before the battles are read: a vote in flight waits for us, and then counts itself.
        row = VoterProgress.objects.select_for_update().get(voter=voter, category=category)
        with connection.cursor() as cursor:
            cursor.execute(_RECOUNT, {"voter": voter, "category": category, "waiting": row.waiting})
            row.votes, row.seen, row.waiting, row.met, skips, voted_at, excluded = cursor.fetchone()
        skips = skips or []
        row.skips = len(skips)
        row.skips_in_row = sum(1 for at in skips if voted_at is None or at > voted_at)
        row.answered_at = max([*skips, *filter(None, [voted_at])], default=None)
        last_round = (excluded or [])[rounds.of_answered(row.votes).done * -1 - 1 :]
        row.uncounted = sum(is_out << n for n, is_out in enumerate(last_round))
        row.turn += 1
        row.save(update_fields=[
            "votes", "seen", "uncounted", "waiting", "met", "skips", "skips_in_row", "answered_at", "turn",
        ])  # fmt: skip
        return row
