"""Casting votes: one statement finds the battle, stores the vote, and moves everything that counts it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from arena import rounds, vote_cap
from arena.battles import closed_reason
from arena.battles.rows import BattleRow
from arena.integrity import caps, rules
from arena.models import Battle, Outcome, Vote

# Nothing can come between, and it is several times quicker than the same through the ORM. The battle's row is locked,
# so that a skip and a vote cannot both win. A vote beyond its voter's cap is stored, but excluded and in no tally (see
# integrity/caps.py). Recent votes are counted only for who has as many in all: one index scan of the cap's rows,
# MATERIALIZED or it would be done twice, for the reason and for the rule; "+ 0" keeps a planner without statistics off
# the category's index, which would read all its votes. Joined to one line, because psycopg remembers how it reads a
# statement of up to 4,096 characters, and reads a longer one again with every vote.
#
# LIMIT 1 says that an id is one row in however many partitions: so there is one plan for all votes.
#
# Order of locks: battle, image tally, progress, tally. The last statement reads the first three, so they run before it.
_CAST_VOTE = re.sub(
    r"\s+",
    " ",
    """
WITH battle AS (
    SELECT b.id, b.voter_id, b.served_at, b.left_id, b.right_id, c.category_id, s.votes,
           l.image_model_id AS left_model_id, r.image_model_id AS right_model_id, s.excluded_reason AS voter_reason,
           s.excluded_rule AS voter_rule, coalesce(k.cap, %(cap)s) AS cap,
           CASE WHEN %(needs_images)s AND (b.left_fetched_at IS NULL OR b.right_fetched_at IS NULL)
                    THEN %(unseen_rule)s
                WHEN %(min_seconds)s::float8 > 0
                    AND now() - greatest(coalesce(b.served_at, s.answered_at), b.left_fetched_at, b.right_fetched_at)
                        < make_interval(secs => %(min_seconds)s::float8) THEN %(fast_rule)s
                ELSE coalesce(s.excluded_rule, '') END AS rule
    FROM (SELECT * FROM arena_battle WHERE id = %(battle)s LIMIT 1 FOR UPDATE) AS b
    JOIN arena_entry l ON l.id = b.left_id
    JOIN arena_entry r ON r.id = b.right_id
    JOIN arena_prompt p ON p.id = b.prompt_id
    JOIN arena_competition c ON c.id = p.competition_id
    LEFT JOIN arena_voterprogress s ON s.voter_id = b.voter_id AND s.category_id = c.category_id
    LEFT JOIN arena_votecap k ON k.category_id = c.category_id
    WHERE b.skipped_at IS NULL AND b.expires_at > statement_timestamp()
), verdict AS MATERIALIZED (
    SELECT CASE WHEN rule <> '' THEN rule WHEN CASE WHEN votes < cap THEN votes ELSE (
        SELECT count(*) FROM (
            SELECT FROM arena_vote v
            WHERE v.voter_id = battle.voter_id AND v.category_id + 0 = battle.category_id
                AND v.cast_at > now() - make_interval(days => %(cap_days)s) AND v.excluded_reason = ''
            LIMIT cap
        ) AS recent
    ) END < cap THEN '' ELSE %(cap_rule)s END AS rule
    FROM battle
), vote AS (
    INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at,
                            decision_time, excluded_reason, excluded_rule)
    SELECT id, voter_id, category_id, left_model_id, right_model_id, %(outcome)s, now(),
           CASE WHEN served_at IS NOT NULL THEN greatest(now() - served_at, interval '0') END,
           CASE verdict.rule WHEN '' THEN '' WHEN %(unseen_rule)s THEN %(unseen_reason)s
               WHEN %(fast_rule)s THEN %(fast_reason)s WHEN voter_rule THEN voter_reason
               ELSE format(%(cap_reason)s, cap) END,
           verdict.rule
    FROM battle, verdict
    ON CONFLICT (battle_id) DO NOTHING
    RETURNING battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at, excluded_reason
), images AS (
    INSERT INTO arena_imagetally AS t (low_id, high_id, low_wins, high_wins, ties, both_bad)
    SELECT least(left_id, right_id), greatest(left_id, right_id),
           (outcome = CASE WHEN left_id < right_id THEN 'left' ELSE 'right' END)::int,
           (outcome = CASE WHEN left_id < right_id THEN 'right' ELSE 'left' END)::int,
           (outcome = 'tie')::int, (outcome = 'both_bad')::int
    FROM vote, battle WHERE excluded_reason = ''
    ON CONFLICT (low_id, high_id) DO UPDATE SET
        low_wins = t.low_wins + excluded.low_wins, high_wins = t.high_wins + excluded.high_wins,
        ties = t.ties + excluded.ties, both_bad = t.both_bad + excluded.both_bad
    RETURNING low_wins, high_wins, ties, both_bad
), progress AS (
    UPDATE arena_voterprogress s SET turn = s.turn + 1, votes = s.votes + 1, seen = s.seen + 1,
        uncounted = CASE WHEN s.votes %% %(round)s = 0 THEN 0 ELSE s.uncounted END
            | (vote.excluded_reason <> '')::int << (s.votes %% %(round)s),
        skips_in_row = 0, answered_at = vote.cast_at,
        waiting = array_remove(s.waiting, vote.battle_id)
    FROM vote WHERE s.voter_id = vote.voter_id AND s.category_id = vote.category_id
    RETURNING s.votes, s.seen, s.uncounted
), tally AS (
    INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
    SELECT category_id, (cast_at AT TIME ZONE 'UTC')::date, left_model_id, right_model_id, outcome, 1,
           clock_timestamp()
    FROM vote WHERE left_model_id <> right_model_id AND excluded_reason = ''
    ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
    DO UPDATE SET n = arena_tally.n + 1, changed_at = clock_timestamp()
)
SELECT vote.cast_at, vote.excluded_reason, progress.votes, progress.seen, progress.uncounted,
       images.low_wins, images.high_wins, images.ties, images.both_bad
FROM vote LEFT JOIN images ON true LEFT JOIN progress ON true
""",
)


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote that was stored just now, and the voter's counts with it.

    `uncounted` are the votes of the voter's round that do not count, as bits. `images` are all counted votes on its two
    images: wins of the smaller id, wins of the other, ties, both bad; zeros where the vote itself does not count.
    """

    outcome: str
    cast_at: datetime
    excluded_reason: str
    votes: int
    seen: int
    uncounted: int
    images: tuple[int, int, int, int]


def parameters(outcome: str) -> dict[str, Any]:
    """What the statement takes, but for the battle."""
    return {
        "outcome": outcome,
        "round": rounds.SIZE,
        "cap": vote_cap.FLOOR,  # of a category whose votes nobody has counted yet
        "cap_days": caps.DAYS,
        "cap_reason": caps.reason("%s"),
        "cap_rule": rules.CAP.name,
        "needs_images": settings.VOTE_NEEDS_IMAGES,
        "unseen_rule": rules.UNSEEN.name,
        "unseen_reason": rules.UNSEEN.reason,
        "min_seconds": float(settings.VOTE_MIN_SECONDS),
        "fast_rule": rules.FAST.name,
        "fast_reason": rules.FAST.reason,
    }


def cast(battle: Battle | BattleRow, outcome: str) -> CastVote | None:
    """Store the voter's answer; None when it was not taken, or stood already: `explain` says why.

    Raises ValueError for an outcome that does not exist.
    """
    if outcome not in Outcome.values:
        raise ValueError(f"“{outcome}” is not an outcome. Choose one of: {', '.join(Outcome.values)}.")
    with connection.cursor() as cursor:
        cursor.execute(_CAST_VOTE, {**parameters(outcome), "battle": battle.pk})
        row = cursor.fetchone()
    if row is None:
        return None
    cast_at, excluded_reason, votes, seen, uncounted, *images = row
    low_wins, high_wins, ties, both_bad = (count or 0 for count in images)
    counts = (low_wins, high_wins, ties, both_bad)
    return CastVote(outcome, cast_at, excluded_reason, votes or 0, seen or 0, uncounted or 0, counts)


def cast_vote(battle: Battle | BattleRow, outcome: str) -> None:
    """Record the voter's answer. The same answer again changes nothing and is no error. Beyond the voter's cap the
    answer is stored, but does not count.

    Raises ValueError for an outcome that does not exist, AlreadyVoted when another answer stands, BattleExpired,
    BattleSkipped.
    """
    if cast(battle, outcome) is None:
        explain(battle.pk, outcome)


def explain(battle_id: UUID, outcome: str) -> None:
    """Raise why the statement stored nothing; returns only when the very same vote already stands."""
    battle = Battle.objects.select_related("vote").get(pk=battle_id)
    vote: Vote | None = getattr(battle, "vote", None)
    if vote is None or vote.outcome != outcome:
        raise closed_reason(battle)
