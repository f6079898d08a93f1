"""The site works as the role of docs/sql/roles.sql, which can change no table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from arena import integrity, voting
from arena.models import Vote
from config import health
from config.operations import retention, state
from leaderboard.board import ratings, snapshots
from tests import factories as make

SQL = Path(__file__).parents[2] / "docs" / "sql" / "roles.sql"


@pytest.fixture
def as_app(db) -> str:
    """This test's transaction, as the role; its name is this run's own, for roles are of the whole server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'arena_app_' || pg_backend_pid()")
        role: str = cursor.fetchone()[0]
        statements = re.sub(r"--.*", "", SQL.read_text()).replace("arena_app", role).split(";")
        for statement in filter(None, (text.strip() for text in statements)):
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'SET LOCAL ROLE "{role}"')
    return role


def test_votes_boards_and_operations_need_no_more(as_app, client, django_user_model):
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    category = battle.prompt.competition.category
    ratings.recompute(category)
    assert snapshots.take(category)
    integrity.exclude(Vote.objects.values_list("pk", flat=True), "a test", "curator")
    assert retention.prune(10)
    assert state.current().migrations == []
    assert health.readiness()[1]["database"] == "ok"
    for url in ("/", f"/leaderboard/{category.slug}/", f"/arena/{category.slug}/", "/status/", "/data/"):
        assert client.get(url).status_code in (200, 302), url


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE arena_vote", "ALTER TABLE arena_vote DISABLE TRIGGER ALL", "CREATE TABLE public.mine (n int)",
     "TRUNCATE arena_vote CASCADE", "DELETE FROM django_migrations"],
)  # fmt: skip
def test_it_can_change_no_table(as_app, statement):
    rejected = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
    with rejected, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
