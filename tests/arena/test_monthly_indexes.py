"""Indexes of votes and battles, made and removed by migrations on sites with and without partitions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState
from django.db.utils import NotSupportedError

from arena.monthly_indexes import AddIndexByMonth, RemoveIndexByMonth
from tests import partitioned

INDEX = models.Index("outcome", models.F("cast_at").desc(), condition=models.Q(outcome="tie"), name="ties of late")
VALID = """
SELECT count(*) FILTER (WHERE i.indisvalid), count(*) FROM pg_index i
WHERE pg_get_indexdef(i.indexrelid) ~ 'outcome, cast_at DESC'
"""


@pytest.fixture(params=["one table", "by month"])
def tables(request, transactional_db) -> Iterator[int]:
    """In a database of this test's own; the number of tables of votes that have an index."""
    with partitioned.own_database():
        if request.param == "by month":
            partitioned.convert_two_months_ago()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 + count(*) FROM pg_inherits WHERE inhparent = 'arena_vote'::regclass")
            yield cursor.fetchone()[0]


def before() -> ProjectState:
    return ProjectState.from_apps(apps)


def after(operation, state: ProjectState) -> ProjectState:
    changed = state.clone()
    operation.state_forwards("arena", changed)
    return changed


def run(operation, old: ProjectState, new: ProjectState, *, forwards: bool = True) -> None:
    with connection.schema_editor(atomic=False) as editor:
        if forwards:
            operation.database_forwards("arena", editor, old, new)
        else:
            operation.database_backwards("arena", editor, new, old)


def indexes() -> tuple[int, int]:
    """Those that are valid, and all there are."""
    with connection.cursor() as cursor:
        cursor.execute(VALID)
        valid, there = cursor.fetchone()
    return valid, there


def test_an_index_is_made_and_removed_in_both_directions(tables):
    old = before()
    add = AddIndexByMonth("vote", INDEX)
    new = after(add, old)
    run(add, old, new)
    assert indexes() == (tables, tables)
    remove = RemoveIndexByMonth("vote", INDEX.name)
    gone = after(remove, new)
    run(remove, new, gone)
    assert indexes() == (0, 0)
    run(remove, new, gone, forwards=False)
    assert indexes() == (tables, tables)
    run(add, old, new, forwards=False)
    assert indexes() == (0, 0)


def test_a_migration_that_was_stopped_goes_on_and_coming_months_have_the_index(transactional_db):
    with partitioned.own_database():
        partitioned.convert_two_months_ago()
        old = before()
        add = AddIndexByMonth("vote", INDEX)
        new = after(add, old)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE INDEX \"ties of late\" ON ONLY arena_vote (outcome, cast_at DESC) WHERE outcome = 'tie'"
            )
            cursor.execute('CREATE INDEX "ties of late rest" ON arena_vote_rest (outcome)')
        run(add, old, new)
        valid, there = indexes()
        assert valid == there > 4
        with connection.cursor() as cursor:
            cursor.execute("SELECT arena_add_month('9911')")
        assert indexes() == (there + 1, there + 1)


@pytest.mark.django_db
@pytest.mark.parametrize("operation", [AddIndexByMonth("vote", INDEX), RemoveIndexByMonth("vote", "x")], ids=repr)
def test_it_wants_no_transaction(operation):
    state = before()
    for move in (operation.database_forwards, operation.database_backwards):
        with connection.schema_editor() as editor, pytest.raises(NotSupportedError, match="atomic = False"):
            move("arena", editor, state, state)
