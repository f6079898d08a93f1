"""Serving battles and casting votes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from . import integrity, matchmaking
from .models import Battle, Category, Competition, Entry, Outcome, PairScores, Tally, Vote, Voter, new_token

_POOL_SECONDS = 3.0  # how long a process draws from the same look at the entries
_pools: dict[int, tuple[float, matchmaking.Pool]] = {}
_random = SystemRandom()


class VoteRefused(Exception):
    """A vote or skip that was not taken; the message tells the voter what to do."""


class AlreadyVoted(VoteRefused):
    """Another answer stands. It was given before the names were shown, so it cannot be changed after."""


class BattleExpired(VoteRefused):
    pass


class BattleSkipped(VoteRefused):
    pass


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a category a voter has answered."""

    votes: int
    seen: int
    available: int


def serve(voter: Voter, category: Category) -> Battle | None:
    """The battle this voter has to answer next in the category; None when there is no pair left to show.

    A battle that is still owed comes back, with a new life when it had expired: reloading never draws another pair.
    The voter's row is locked, so two tabs that ask at once get the same battle.
    """
    with transaction.atomic():
        Voter.objects.select_for_update().get(pk=voter.pk)
        owed = _owed(voter, category)
        if owed is not None:
            if owed.is_expired:
                _renew(owed)
            return owed
        seen = {
            frozenset(pair)
            for pair in voter.battles.filter(prompt__competition__category=category).values_list("left", "right")
        }
        drawn = matchmaking.draw(pool(category), seen, _random)
        if drawn is None:
            return None
        return voter.battles.create(
            prompt_id=drawn.prompt,
            left_id=drawn.left,
            right_id=drawn.right,
            probability=drawn.probability,
            expires_at=timezone.now() + _lifetime(),
        )


def _owed(voter: Voter, category: Category) -> Battle | None:
    return (
        Battle.objects.owed()
        .filter(voter=voter, prompt__competition__in=Competition.objects.open().filter(category=category))
        .order_by("served_at")
        .first()
    )


def _renew(battle: Battle) -> None:
    """The same pair and sides, but new tokens: the old image addresses stay dead."""
    battle.served_at = timezone.now()
    battle.expires_at = battle.served_at + _lifetime()
    battle.left_token, battle.right_token = new_token(), new_token()
    battle.save(update_fields=["served_at", "expires_at", "left_token", "right_token"])


def _lifetime() -> timedelta:
    return timedelta(seconds=settings.BATTLE_LIFETIME)


def pool(category: Category) -> matchmaking.Pool:
    """The category's current entries and which pairs are worth asking; up to three seconds old."""
    made_at, cached = _pools.get(category.pk, (0.0, None))
    if cached is not None and time.monotonic() - made_at < _POOL_SECONDS:
        return cached
    entries = Entry.objects.current().filter(
        prompt__competition__in=Competition.objects.open().filter(category=category), generation__sample=0
    )
    table = _table(category)
    fresh = matchmaking.Pool(
        candidates=tuple(
            matchmaking.Candidate(*row) for row in entries.order_by("pk").values_list("pk", "prompt", "image_model")
        ),
        met=_met(category) if table is None else {},
        table=table,
    )
    _pools[category.pk] = time.monotonic(), fresh
    return fresh


def _table(category: Category) -> matchmaking.Table | None:
    """What a vote on each pair is worth, as of the last ratings; None before there are any."""
    row = PairScores.objects.filter(category=category).first()
    if row is None:
        return None
    k = len(row.image_models)
    values = np.zeros((k, k), np.float32)
    values[np.triu_indices(k, 1)] = np.frombuffer(row.scores, "<f4")
    return matchmaking.Table(tuple(row.image_models), values + values.T)


def store_table(category: Category, table: matchmaking.Table) -> None:
    """Replace the category's table; `leaderboard` calls this with every new board."""
    above = table.scores[np.triu_indices(len(table.models), 1)].astype("<f4")
    PairScores.objects.update_or_create(
        category=category,
        defaults={"image_models": list(table.models), "scores": above.tobytes(), "changed_at": timezone.now()},
    )


def _met(category: Category) -> dict[matchmaking.Pair, int]:
    """How often each pair of models met."""
    rows = (
        Tally.objects.filter(category=category)
        .values_list(Least("left_model", "right_model"), Greatest("left_model", "right_model"))
        .annotate(total=Sum("n"))
    )
    return {frozenset((one, other)): total for one, other, total in rows}


def forget_pools() -> None:
    """Look at the entries afresh on the next draw."""
    _pools.clear()


def progress(voter: Voter, category: Category) -> Progress:
    """The voter's counts in the category, skips being seen but not votes."""
    seen = voter.battles.filter(prompt__competition__category=category).exclude(vote=None, skipped_at=None).count()
    return Progress(votes=voter.votes.filter(category=category).count(), seen=seen, available=pool(category).size)


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
           greatest(now() - served_at, interval '0'),
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
    if vote is not None:
        if vote.outcome == outcome:
            return
        raise AlreadyVoted(f"You already answered “{vote.get_outcome_display()}”. The first answer counts.")
    if battle.skipped_at is not None:
        raise BattleSkipped("You skipped this pair. Take the next one.")
    raise BattleExpired("This pair was open for too long and has expired. Take it again from the arena.")


def skip(battle: Battle) -> None:
    """Put the battle aside: stored, not counted, never shown to this voter again. Raises AlreadyVoted."""
    with transaction.atomic():
        locked = Battle.objects.select_for_update().get(pk=battle.pk)
        if Vote.objects.filter(battle=locked).exists():
            raise AlreadyVoted("You already voted on this pair; a vote cannot be skipped.")
        if locked.skipped_at is None:
            locked.skipped_at = timezone.now()
            locked.save(update_fields=["skipped_at"])
