"""Serving battles and casting votes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import SystemRandom
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum
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


class Withdrawn(VoteRefused):
    """One of its images was retired or hidden after the battle was assigned."""


class NotYet(VoteRefused):
    """Another battle is on the voter's screen and waits for its answer."""


def serve(voter: Voter, category: Category) -> Battle | None:
    """The battle this voter has to answer next in the category, shown from now on; None when no pair is left.

    A battle that is still owed comes back, with a new life when it had expired: reloading never draws another pair.
    """
    with _turn_of(voter):
        battle = _owed(voter, category).first() or next(iter(_draw(voter, category, 1)), None)
        if battle is not None and battle.is_expired:
            _renew(battle, shown=True)
        elif battle is not None and battle.served_at is None:
            _begin(battle)
        return battle


def ahead(voter: Voter, category: Category, after: Battle, count: int) -> list[Battle]:
    """The next `count` battles after this one, for a browser to load before they are asked for; fewer at the end.

    They are assigned, with addresses of their own, but not shown: nothing counts them, and no clock runs. Whoever
    casts a vote asks for them first, so that no pair can depend on the vote before it.
    """
    with _turn_of(voter):
        waiting = list(_owed(voter, category).filter(served_at=None).exclude(pk=after.pk)[:count])
        for battle in waiting:
            if battle.is_expired:
                _renew(battle, shown=False)
        following = [battle.pk for battle in waiting + _draw(voter, category, count - len(waiting))]
    rows = Battle.objects.select_related("prompt__competition", "left", "right").in_bulk(following)
    return [rows[pk] for pk in following]


def show(battle: Battle) -> None:
    """An assigned battle has come to the voter's screen: its time runs from now on. Again, nothing changes.

    Raises BattleExpired, AlreadyVoted, BattleSkipped, Withdrawn, and NotYet while another shown battle of the category
    is owed: looking ahead must not become choosing.
    """
    with _turn_of(battle.voter):
        # Locked, and its vote read afterwards: a quick answer that is being stored has come before us or comes after.
        current = Battle.objects.select_for_update(no_key=True).get(pk=battle.pk)
        if hasattr(current, "vote") or current.skipped_at is not None or current.is_expired:
            raise _reason(current)
        if current.served_at is None:
            category = current.prompt.competition.category
            if not _owed(battle.voter, category).filter(pk=battle.pk).exists():
                raise Withdrawn("This pair has been withdrawn. Take the next one.")
            if _owed(battle.voter, category).exclude(served_at=None).exists():
                raise NotYet("Another pair waits for your answer first.")
            _begin(current)
        battle.served_at, battle.expires_at = current.served_at, current.expires_at


@contextmanager
def _turn_of(voter: Voter) -> Iterator[None]:
    """The voter's row is locked, so two tabs that ask at once get the same battles.

    Not its key: a vote on a battle that is drawn beside it refers to the voter, and would wait for us while we wait for
    its battle.
    """
    with transaction.atomic():
        Voter.objects.select_for_update(no_key=True).get(pk=voter.pk)
        yield


def _owed(voter: Voter, category: Category) -> QuerySet[Battle]:
    """In the order in which they are to be answered: what was shown, then what was assigned first."""
    open_now = Competition.objects.open().filter(category=category)
    rows: QuerySet[Battle] = Battle.objects.owed().filter(voter=voter, prompt__competition__in=open_now)
    return rows.order_by(F("served_at").asc(nulls_last=True), "expires_at")


def _draw(voter: Voter, category: Category, count: int) -> list[Battle]:
    """Assign up to `count` pairs that this voter has not met."""
    if count <= 0:
        return []
    met = voter.battles.filter(prompt__competition__category=category).values_list("left", "right")
    seen = {frozenset(pair) for pair in met}
    battles: list[Battle] = []
    while len(battles) < count and (drawn := matchmaking.draw(pool(category), seen, _random)) is not None:
        seen.add(frozenset((drawn.left, drawn.right)))
        battles.append(
            voter.battles.create(
                prompt_id=drawn.prompt,
                left_id=drawn.left,
                right_id=drawn.right,
                probability=drawn.probability,
                served_at=None,
                expires_at=timezone.now() + _lifetime(),
            )
        )
    return battles


def _begin(battle: Battle) -> None:
    battle.served_at = timezone.now()
    battle.expires_at = battle.served_at + _lifetime()
    battle.save(update_fields=["served_at", "expires_at"])


def _renew(battle: Battle, *, shown: bool) -> None:
    """The same pair and sides, but new tokens: the old image addresses stay dead."""
    now = timezone.now()
    battle.served_at, battle.expires_at = now if shown else None, now + _lifetime()
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
        raise _reason(battle)


def _reason(battle: Battle) -> VoteRefused:
    """Why this battle takes no answer any more."""
    vote: Vote | None = getattr(battle, "vote", None)
    if vote is not None:
        return AlreadyVoted(f"You already answered “{vote.get_outcome_display()}”. The first answer counts.")
    if battle.skipped_at is not None:
        return BattleSkipped("You skipped this pair. Take the next one.")
    return BattleExpired("This pair was open for too long and has expired. Take it again from the arena.")


def skip(battle: Battle) -> None:
    """Put the battle aside: stored, not counted, never shown to this voter again. Raises AlreadyVoted."""
    with transaction.atomic():
        locked = Battle.objects.select_for_update().get(pk=battle.pk)
        if Vote.objects.filter(battle=locked).exists():
            raise AlreadyVoted("You already voted on this pair; a vote cannot be skipped.")
        if locked.skipped_at is None:
            locked.skipped_at = timezone.now()
            locked.save(update_fields=["skipped_at"])
