"""Which images of a pair a browser has loaded, and when: a vote on images that it never had is no judgement.

A battle's row has the times, written by the statement that finds the image, once a side. A ballot is in no table, so
Valkey has them until it becomes a battle; where Valkey does not answer, they count as loaded.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from arena import battle_ids
from arena.models import Battle, Entry

log = logging.getLogger(__name__)

# The log is one stream: the vote's own commit makes this one durable, so nobody waits for the disk here.
_FIND_IMAGE = """
WITH battle AS (
    (SELECT id, true AS is_left, left_id AS entry, left_fetched_at AS fetched_at,
        expires_at > statement_timestamp() AS is_open FROM arena_battle
        WHERE left_token = %(token)s AND (id BETWEEN %(first)s AND %(last)s OR id >= %(without_month)s) LIMIT 1)
    UNION ALL
    (SELECT id, false, right_id, right_fetched_at, expires_at > statement_timestamp() FROM arena_battle
        WHERE right_token = %(token)s AND (id BETWEEN %(first)s AND %(last)s OR id >= %(without_month)s) LIMIT 1)
    LIMIT 1
), mark AS (
    UPDATE arena_battle b SET
        left_fetched_at = CASE WHEN is_left THEN statement_timestamp() ELSE b.left_fetched_at END,
        right_fetched_at = CASE WHEN is_left THEN b.right_fetched_at ELSE statement_timestamp() END
    FROM battle WHERE b.id = battle.id AND %(is_load)s AND fetched_at IS NULL AND is_open
    RETURNING set_config('synchronous_commit', 'off', true)
)
SELECT e.id, e.image, e.small, e.hidden_at IS NULL AND e.retired_at IS NULL AND is_open, (SELECT count(*) FROM mark),
    CASE WHEN g.is_private THEN g.id END
FROM battle JOIN arena_entry e ON e.id = battle.entry
JOIN arena_prompt p ON p.id = e.prompt_id
JOIN arena_competition c ON c.id = p.competition_id
JOIN arena_category g ON g.id = c.category_id
"""


def _parameters(token: str) -> dict[str, Any]:
    first, last = battle_ids.ids_of(token)
    return {"token": token, "first": first, "last": last, "without_month": battle_ids.ABOVE_MONTHS}


def entry_of_battle(token: str, *, is_load: bool) -> tuple[Entry, bool, int | None] | None:
    """The entry behind an image token, with its files alone, whether it may be shown, and the id of its category where
    that is private; None when no battle has this token. `is_load` notes that a browser loads it."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_IMAGE, {**_parameters(token), "is_load": is_load})
        row = cursor.fetchone()
    if row is None:
        return None
    pk, image, small, is_shown, _, private_category = row
    return Entry(pk=pk, image=image, small=small), is_shown, private_category


def note_ballot(token: str) -> None:
    """A browser loads one image of its ballot."""
    try:
        cache.add(_key(token), datetime.now(UTC).timestamp(), settings.BATTLE_LIFETIME)
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): images of first pairs count as loaded.", error)


def of_ballot(battle: Battle) -> tuple[datetime | None, datetime | None]:
    """When the browser loaded the left and the right image."""
    keys = [_key(token) for token in (battle.left_token, battle.right_token)]
    try:
        times = cache.get_many(keys)
    except redis.RedisError:
        return battle.served_at, battle.served_at
    left, right = (datetime.fromtimestamp(times[key], UTC) if key in times else None for key in keys)
    return left, right


def _key(token: str) -> str:
    return f"fetched:{token}"
