"""The statements of a vote where battles and votes are partitioned: each reads the partition of its battle alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from arena import battle_ids
from arena.battles import fetches, voter_state
from arena.voting import vote_statement
from config.operations import partitions
from tests import partitioned


@pytest.mark.django_db
@pytest.mark.parametrize("ahead", [0, 1])
def test_statements_of_a_vote_read_one_partition(ahead):
    """With generic plans, as PostgreSQL keeps them: what is not read is removed before, or never executed."""
    partitioned.convert_two_months_ago()
    battle = partitioned.battle_of(ahead)
    months = set(partitions.read().months) - {battle_ids.month_of(battle.pk)}
    others = {f"arena_{kind}_{month}" for kind in ("battle", "vote") for month in months}
    statements = {
        "look": (voter_state._OF_BATTLE, {"voter": battle.voter_id, "battle": battle.pk}),
        "serve": (
            voter_state._OF_CATEGORY,
            {"voter": battle.voter_id, "category": battle.prompt.competition.category_id},
        ),
        "image": (fetches._FIND_IMAGE, {**fetches._parameters(battle.left_token), "is_load": True}),
        "cast": (vote_statement._CAST_VOTE, {**vote_statement.parameters("left"), "battle": battle.pk}),
    }
    for name, (statement, parameters) in statements.items():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {statement}", parameters)
            (plan,) = cursor.fetchone()[0]
        scans = [node for node in nodes(plan["Plan"]) if "Relation Name" in node and "Scan" in node["Node Type"]]
        read = {node["Relation Name"] for node in scans if node["Actual Loops"]}
        assert f"arena_battle_{battle_ids.month_of(battle.pk)}" in read, name
        assert read.isdisjoint(others), name


def nodes(node) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)
