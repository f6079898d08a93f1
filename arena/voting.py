"""Casting votes: one statement that finds the battle, stores the vote and moves the tallies."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from . import integrity
from .battles import closed_reason
from .models import Battle, Outcome, Vote

# One statement finds the battle, stores the vote and moves the tally: nothing can come between, and it is several times
# quicker than the same through the ORM. The battle's row is locked, so that a skip and a vote cannot both win. A vote
# beyond its voter's cap is stored, but excluded and in no tally (see integrity.py). Counting the recent ones is one
# index scan, MATERIALIZED or it would be done twice, for the reason and for the rule; "+ 0" keeps a planner without
# statistics off the category's index, which would read all its votes.
_CAST_VOTE = """
WITH battle AS (
    SELECT b.id, b.voter_id, b.served_at, c.category_id,
           l.image_model_id AS left_model_id, r.image_model_id AS right_model_id
    FROM arena_battle b
    JOIN arena_entry l ON l.id = b.left_id
    JOIN arena_entry r ON r.id = b.right_id
    JOIN arena_prompt p ON p.id = b.prompt_id
    JOIN arena_competition c ON c.id = p.competition_id
    WHERE b.id = %(battle)s AND b.skipped_at IS NULL AND b.expires_at > now()
    FOR UPDATE OF b
), recent AS MATERIALIZED (
    SELECT (
        SELECT count(*) FROM arena_vote v
        WHERE v.voter_id = battle.voter_id AND v.category_id + 0 = battle.category_id
            AND v.cast_at > now() - make_interval(days => %(cap_days)s) AND v.excluded_reason = ''
    ) AS counted
    FROM battle
), vote AS (
    INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at,
                            decision_time, excluded_reason, excluded_rule)
    SELECT id, voter_id, category_id, left_model_id, right_model_id, %(outcome)s, now(),
           CASE WHEN served_at IS NOT NULL THEN greatest(now() - served_at, interval '0') END,
           CASE WHEN counted < %(cap)s THEN '' ELSE %(cap_reason)s END,
           CASE WHEN counted < %(cap)s THEN '' ELSE %(cap_rule)s END
    FROM battle, recent
    ON CONFLICT (battle_id) DO NOTHING
    RETURNING category_id, left_model_id, right_model_id, outcome, cast_at, excluded_reason
), tally AS (
    INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
    SELECT category_id, (cast_at AT TIME ZONE 'UTC')::date, left_model_id, right_model_id, outcome, 1, clock_timestamp()
    FROM vote WHERE left_model_id <> right_model_id AND excluded_reason = ''
    ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
    DO UPDATE SET n = arena_tally.n + 1, changed_at = clock_timestamp()
)
SELECT count(*) FROM vote
"""


def cast_vote(battle: Battle, outcome: str) -> None:
    """Record the voter's answer. The same answer again changes nothing and is no error. Beyond the voter's cap the
    answer is stored, but does not count.

    Raises ValueError for an outcome that does not exist, AlreadyVoted when another answer stands, BattleExpired,
    BattleSkipped.
    """
    if outcome not in Outcome.values:
        raise ValueError(f"“{outcome}” is not an outcome. Choose one of: {', '.join(Outcome.values)}.")
    with connection.cursor() as cursor:
        cursor.execute(
            _CAST_VOTE,
            {
                "battle": battle.pk,
                "outcome": outcome,
                "cap": integrity.CAP,
                "cap_days": integrity.CAP_DAYS,
                "cap_reason": integrity.CAP_REASON,
                "cap_rule": integrity.CAP_RULE,
            },
        )
        (recorded,) = cursor.fetchone()
    if not recorded:
        _explain(battle.pk, outcome)


def _explain(battle_id: UUID, outcome: str) -> None:
    """Why the statement stored nothing; returns only when the very same vote already stands."""
    battle = Battle.objects.select_related("vote").get(pk=battle_id)
    vote: Vote | None = getattr(battle, "vote", None)
    if vote is None or vote.outcome != outcome:
        raise closed_reason(battle)
