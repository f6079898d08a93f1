"""Serving battles: what a voter has to answer, what is loaded ahead, what came to the screen.

One statement reads the voter's state in a category (voter_state.py), one writes a decision made on it. No lock
is held between the two: the write takes place only if the state's `turn` is still the same, else we look again. Writers
lock a battle before its voter's progress (votes: battle, image tally, progress, tally), so none can wait in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

import numpy as np
from django.conf import settings
from django.db import IntegrityError, connection
from django.utils.translation import gettext
from psycopg.errors import UniqueViolation

from arena import battle_ids, matchmaking, pairing
from arena.battles import voter_state
from arena.battles.competition_choice import ALL, CompetitionChoice
from arena.battles.rows import COLUMNS, JOINS, BattleRow, battle_row
from arena.battles.voter_state import VoterState
from arena.models import Battle, Category, Outcome, Vote, Voter

_ATTEMPTS = 12  # a lost turn means that the voter's other tab has won one; two tabs need two
_random = SystemRandom()


class VoteRejected(Exception):
    """A vote or skip that was not taken; the message says what to do."""


class AlreadyVoted(VoteRejected):
    """Another answer stands. It was given before the names were shown, so it cannot be changed after."""


class BattleExpired(VoteRejected):
    pass


class BattleSkipped(VoteRejected):
    pass


class Withdrawn(VoteRejected):
    """One of its images was retired or hidden after the battle was assigned."""


class NotYet(VoteRejected):
    """Another battle is on the voter's screen and waits for its answer."""


def serve(voter: Voter, category: Category) -> Battle | None:
    """The battle this voter has to answer next in the category, shown from now on; None when no pair is left.

    A battle that is still owed comes back, with a new lifetime when it had expired: reloading never draws another pair.
    """
    state = serve_state(voter.pk, category.pk)
    return None if state is None or state.battle is None else state.battle.battle


def serve_state(voter: int, category: int, choice: CompetitionChoice = ALL) -> VoterState | None:
    """As `serve`: the voter's state with the battle served, which is None when no pair is left; None when there is no
    such voter. Of the competitions that are the `choice`, unless another's pair is on the voter's screen."""
    for state in _attempts(voter, category):
        if state is None:
            return None
        battle = next((row for row in state.waiting if row.served_at is not None or choice.has(row)), None)
        if battle is None:
            draws = _draw(state, choice.pool(category), 1)
            if not draws:
                return state
            started = next(iter(_assign(state, category, draws, shown=True)), None)
            state = replace(state, met=state.met + pairing.pack((draw.left, draw.right) for draw in draws))
        elif battle.served_at is not None and not battle.is_expired:
            return _with_battle(state, battle)
        else:
            started = _start(battle, state.turn, shown=True)
        if started is not None:
            return _with_battle(replace(state, turn=state.turn + 1), started)
    raise RuntimeError(f"voter {voter} is served by too many requests at once")


def _with_battle(state: VoterState, battle: BattleRow) -> VoterState:
    return replace(state, battle=battle, waiting=[row for row in state.waiting if row.pk != battle.pk])


def ahead(state: VoterState, count: int, *, choice: CompetitionChoice = ALL, durable: bool = True) -> list[BattleRow]:
    """The next `count` battles after the state's, for a browser to load before they are needed; fewer at the end of the
    `choice`, and while pairs of others wait unseen: with some of each a voter could choose between them.

    They are assigned, with image URLs of their own, but not shown: nothing counts them, and no time runs. A vote calls
    this before it is stored, so that no pair can depend on the vote before it; it need not wait for the disk
    (`durable`), because the log is one stream: the vote's own commit makes durable what came before it."""
    assert state.battle is not None
    own = state.battle
    for current in _attempts(state.voter, own.category, state):
        assert current is not None
        unseen = [row for row in current.waiting if row.served_at is None and row.pk != own.pk]
        following = list(filter(choice.has, unseen))[:count]
        expired = next((battle for battle in following if battle.is_expired), None)
        if expired is not None:
            _start(expired, current.turn, shown=False)
            continue
        draws = _draw(current, choice.pool(own.category), count - len(unseen))
        if not draws:
            return following
        assigned = _assign(current, own.category, draws, shown=False, durable=durable)
        if len(assigned) == len(draws):
            return following + assigned
    raise RuntimeError(f"voter {state.voter} is served by too many requests at once")


def show(state: VoterState) -> VoterState:
    """The state's battle, assigned before, has come to the voter's screen: its time runs from now on. Again, nothing
    changes. Returns the state after it.

    Raises BattleExpired, AlreadyVoted, BattleSkipped, Withdrawn, and NotYet while another shown battle of the category
    is owed: looking ahead must not become choosing.
    """
    for _ in range(_ATTEMPTS):
        assert state.battle is not None
        battle = state.battle
        if not battle.is_open:
            raise _closed_reason(battle.outcome, battle.skipped_at)
        if battle.served_at is not None:
            return state
        if not battle.is_live:
            raise Withdrawn("This pair has been withdrawn. Take the next one.")
        if any(other.served_at is not None for other in state.waiting):
            raise NotYet("Another pair waits for your answer first.")
        started = _start(battle, state.turn, shown=True)
        if started is not None:
            return replace(state, turn=state.turn + 1, battle=started)
        again = voter_state.look_at(state.voter, battle.pk)
        assert again is not None
        state = again
    raise RuntimeError(f"voter {state.voter} shows too many battles at once")


def _attempts(voter: int, category: int, first: VoterState | None = None) -> Iterator[VoterState | None]:
    """The voter's state, read again after each turn that was lost; put right when it does not help."""
    for attempt in range(_ATTEMPTS):
        yield first if first is not None and not attempt else voter_state.look_for(voter, category)
        if attempt % 4 == 3:
            voter_state.rebuild_progress(voter, category)


def _draw(state: VoterState, pool: matchmaking.Pool, count: int) -> list[matchmaking.Draw]:
    """Up to `count` pairs of the pool that this voter has not met."""
    draws = list[matchmaking.Draw]()
    met = pairing.unpack(state.met)
    while len(draws) < count and (drawn := matchmaking.draw(pool, met, _random)) is not None:
        met = np.vstack((met, (drawn.left, drawn.right)))
        draws.append(drawn)
    return draws


_MOST_AT_ONCE = 4  # battles assigned by one statement
# The battles come as one JSON text: of an array Postgres expects as many rows as it has, and then the statement's many
# joins looked cheaper planned for each array again, which took 2 ms of every vote. LIMIT is what it expects instead.
_ASSIGN = f"""
WITH turn AS (
    INSERT INTO arena_voterprogress AS s (voter_id, category_id, turn, waiting, met)
    VALUES (%(voter)s, %(category)s, 1, %(ids)s::uuid[], %(met)s)
    ON CONFLICT (voter_id, category_id) DO UPDATE
    SET turn = s.turn + 1, waiting = s.waiting || excluded.waiting, met = s.met || excluded.met
    WHERE s.turn = %(turn)s
    RETURNING voter_id, CASE WHEN NOT %(durable)s THEN set_config('synchronous_commit', 'off', true) END
), b AS (
    INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, probability,
                              familiar, served_at, expires_at)
    SELECT new.id, turn.voter_id, new.prompt, new."left", new."right", new.left_token, new.right_token,
           new.probability, new.familiar, CASE WHEN %(shown)s THEN statement_timestamp() END,
           statement_timestamp() + make_interval(secs => %(lifetime)s)
    FROM turn, (
        SELECT * FROM json_to_recordset(%(battles)s::json)
            AS x (id uuid, prompt bigint, "left" bigint, "right" bigint, left_token text, right_token text,
                  probability float8, familiar smallint)
        LIMIT {_MOST_AT_ONCE}
    ) AS new
    ON CONFLICT DO NOTHING
    RETURNING *
)
SELECT {COLUMNS} FROM b {JOINS}
"""  # noqa: S608 – our own names, no value of a request


def _assign(
    state: VoterState, category: int, draws: Sequence[matchmaking.Draw], *, shown: bool, durable: bool = True
) -> list[BattleRow]:
    """Make the draws battles of this voter, in their order; fewer when the turn is lost."""
    assert len(draws) <= _MOST_AT_ONCE
    ids = [battle_ids.new_id() for _ in draws]
    new = [
        {
            "id": str(pk),
            "prompt": draw.prompt,
            "left": draw.left,
            "right": draw.right,
            "left_token": battle_ids.new_token(pk),
            "right_token": battle_ids.new_token(pk),
            "probability": draw.probability,
            "familiar": draw.familiar,
        }
        for pk, draw in zip(ids, draws, strict=True)
    ]
    parameters: dict[str, Any] = {
        "voter": state.voter,
        "category": category,
        "turn": state.turn,
        "ids": ids,
        "met": pairing.pack((draw.left, draw.right) for draw in draws),
        "battles": json.dumps(new),
        "shown": shown,
        "lifetime": float(settings.BATTLE_LIFETIME),
        "durable": durable or connection.in_atomic_block,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ASSIGN, parameters)
            rows = {row[0]: battle_row(row) for row in cursor.fetchall()}
    except IntegrityError as error:
        # Of partitioned battles a trigger refuses a pair that was met, where otherwise an index has the row left out.
        if connection.in_atomic_block or not isinstance(error.__cause__, UniqueViolation):
            raise
        return []
    return [rows[pk] for pk in ids if pk in rows]


_START = """
WITH locked AS (
    SELECT id FROM arena_battle WHERE id = %(battle)s AND skipped_at IS NULL FOR UPDATE
), turn AS (
    UPDATE arena_voterprogress s SET turn = s.turn + 1 FROM locked
    WHERE s.voter_id = %(voter)s AND s.category_id = %(category)s AND s.turn = %(turn)s
    RETURNING s.voter_id
)
UPDATE arena_battle SET
    served_at = CASE WHEN %(shown)s THEN statement_timestamp() END,
    expires_at = statement_timestamp() + make_interval(secs => %(lifetime)s),
    left_token = %(left_token)s::varchar, right_token = %(right_token)s::varchar,
    left_fetched_at = CASE WHEN left_token = %(left_token)s::varchar THEN left_fetched_at END,
    right_fetched_at = CASE WHEN right_token = %(right_token)s::varchar THEN right_fetched_at END
FROM turn WHERE arena_battle.id = %(battle)s
RETURNING served_at, expires_at
"""


def _start(battle: BattleRow, turn: int, *, shown: bool) -> BattleRow | None:
    """Begin the battle's lifetime; None when the turn is lost.

    One that had expired is the same pair and sides with new tokens: the old image URLs stay dead.
    """
    left, right = battle.left, battle.right
    if battle.is_expired:
        left, right = (side._replace(token=battle_ids.new_token(battle.pk)) for side in (left, right))
    with connection.cursor() as cursor:
        cursor.execute(
            _START,
            {
                "battle": battle.pk,
                "voter": battle.voter,
                "category": battle.category,
                "turn": turn,
                "shown": shown,
                "lifetime": float(settings.BATTLE_LIFETIME),
                "left_token": left.token,
                "right_token": right.token,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return battle._replace(served_at=row[0], expires_at=row[1], is_expired=False, left=left, right=right)


def closed_reason(battle: Battle) -> VoteRejected:
    """Why this battle takes no answer any more."""
    vote: Vote | None = getattr(battle, "vote", None)
    return _closed_reason(vote.outcome if vote is not None else None, battle.skipped_at)


def _closed_reason(outcome: str | None, skipped_at: datetime | None) -> VoteRejected:
    if outcome is not None:
        return AlreadyVoted(
            gettext("You already answered “%(answer)s”. The first answer counts.") % {"answer": Outcome(outcome).label}
        )
    if skipped_at is not None:
        return BattleSkipped(gettext("You skipped this pair. Take the next one."))
    return BattleExpired(gettext("This pair was open for too long and has expired. Take it again from the arena."))


def lifetime() -> timedelta:
    return timedelta(seconds=settings.BATTLE_LIFETIME)
