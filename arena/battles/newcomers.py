"""A ballot that came back becomes the first battle of a new voter: one statement, which also knows the limits."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from arena import pairing
from arena.battles.rows import LIVE
from arena.integrity import rules, watch
from arena.integrity.networks import Network
from arena.models import Battle

# Where the first votes of a network are excluded, those of its next new voters are, too (integrity/watch.py).
_CREATE_WITH_VOTER = f"""
WITH busy AS (
    SELECT EXISTS (
        SELECT FROM arena_voter WHERE network <> '' AND network = %(address)s
            AND created_at > statement_timestamp() - interval '1 hour'
        OFFSET greatest(%(address_limit)s - 1, 0)
    ) AND %(address_limit)s > 0 OR EXISTS (
        SELECT FROM arena_voter WHERE prefix <> '' AND prefix = %(prefix)s
            AND created_at > statement_timestamp() - interval '1 hour'
        OFFSET greatest(%(prefix_limit)s - 1, 0)
    ) AND %(prefix_limit)s > 0 AS is_full
), who AS (
    INSERT INTO arena_voter (created_at, network, prefix)
    SELECT statement_timestamp(), %(address)s, %(prefix)s FROM busy, arena_prompt p
    JOIN arena_competition c ON c.id = p.competition_id
    JOIN arena_entry l ON l.id = %(left)s
    JOIN arena_entry r ON r.id = %(right)s
    WHERE p.id = %(prompt)s AND {LIVE} AND NOT busy.is_full
        AND NOT EXISTS (SELECT FROM arena_battle WHERE id = %(battle)s)
    RETURNING id
), turn AS (
    INSERT INTO arena_voterprogress (voter_id, category_id, turn, waiting, met, excluded_reason, excluded_rule)
    SELECT id, %(category)s, 1, ARRAY[%(battle)s::uuid], %(met)s,
        CASE WHEN is_out THEN %(reason)s ELSE '' END, CASE WHEN is_out THEN %(rule)s ELSE '' END
    FROM who, (
        SELECT EXISTS (
            SELECT FROM arena_networkwatch WHERE category_id = %(category)s AND network IN (%(address)s, %(prefix)s)
                AND excluded_at > statement_timestamp() - make_interval(hours => %(hours)s)
        ) AS is_out
    ) AS network
    RETURNING voter_id
), made AS (
    INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, probability,
                              served_at, expires_at, left_fetched_at, right_fetched_at)
    SELECT %(battle)s, voter_id, %(prompt)s, %(left)s, %(right)s, %(left_token)s, %(right_token)s, %(probability)s,
           %(served_at)s, %(expires_at)s, %(left_fetched_at)s, %(right_fetched_at)s
    FROM turn ON CONFLICT DO NOTHING RETURNING voter_id
)
SELECT (SELECT voter_id FROM made), is_full FROM busy
"""  # noqa: S608 – our own names, no value of a request


@dataclass(frozen=True, slots=True)
class Adopted:
    """The voter of a ballot; None when its images are not voted on any more, or the network has too many new voters."""

    voter: int | None
    is_full: bool = False


def create_with_voter(battle: Battle, category: int, network: Network) -> Adopted:
    """Store a battle that was shown already, for a new voter; the present one if the battle is stored already."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CREATE_WITH_VOTER,
            {
                "category": category,
                "battle": battle.pk,
                "met": pairing.pack([(battle.left_id, battle.right_id)]),
                "prompt": battle.prompt_id,
                "left": battle.left_id,
                "right": battle.right_id,
                "left_token": battle.left_token,
                "right_token": battle.right_token,
                "probability": battle.probability,
                "served_at": battle.served_at,
                "expires_at": battle.expires_at,
                "left_fetched_at": battle.left_fetched_at,
                "right_fetched_at": battle.right_fetched_at,
                "address": network.address,
                "prefix": network.prefix,
                "address_limit": settings.NETWORK_NEW_VOTERS,
                "prefix_limit": settings.NETWORK_PREFIX_NEW_VOTERS,
                "reason": rules.NETWORK.reason,
                "rule": rules.NETWORK.name,
                "hours": watch.EXCLUDED_HOURS,
            },
        )
        voter, is_full = cursor.fetchone()
    if voter is None:
        voter = Battle.objects.filter(pk=battle.pk).values_list("voter", flat=True).first()
    return Adopted(voter, is_full and voter is None)
