"""New migrations run beside the old code and without stopping the site: a linter of our own, on operations.

Migrations run first, then machines get the new code one by one (docs/deployment.md), so for minutes old code works on
the new schema, and voters vote meanwhile. What existed before the first release is exempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from arena.monthly_indexes import AddIndexByMonth, RemoveIndexByMonth

# App → the last migration that was written before there was an installation whose old code runs beside it.
EXEMPT = {"arena": 27, "leaderboard": 15, "providers": 16}
# Tables that grow with every vote or request: locking one for as long as it is read stops the site.
BY_MONTH = {"vote", "battle"}  # may be partitioned
LARGE = {"vote", "battle", "voter", "voterprogress", "importedvote", "call", "gatewayrequest"}

Operation = Any


def new_migrations() -> Iterator[migrations.Migration]:
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        if app in EXEMPT and int(name[:4]) > EXEMPT[app]:
            yield migration


def faults(operation: Operation, created: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """What is wrong with an operation; nothing is with a table that the same migration creates."""
    model = getattr(operation, "model_name", getattr(operation, "name", "")).lower()
    if model in created:
        return []
    kind = type(operation).__name__
    field: Any = getattr(operation, "field", None)
    large = model in LARGE
    texts = []
    match operation:
        case migrations.AddField() if not (field.null or field.many_to_many or field.db_default is not NOT_PROVIDED):
            texts.append("old code inserts rows without this column: give it null=True or db_default")
        case migrations.RenameField() | migrations.RenameModel() | migrations.AlterModelTable():
            texts.append("old code asks for the old name: add the new one, and remove the old one a release later")
        case migrations.RemoveField() | migrations.DeleteModel():
            texts.append("old code still reads it: remove it a release after the last code that does")
        case AddIndexByMonth() | RemoveIndexByMonth():
            pass
        case AddIndexConcurrently() | RemoveIndexConcurrently() if model in BY_MONTH:
            texts.append(f"fails where the table is partitioned: {kind.replace('Concurrently', 'ByMonth')}")
        case AddIndexConcurrently() | RemoveIndexConcurrently() | AddConstraintNotValid():
            pass
        case migrations.AddIndex() | migrations.RemoveIndex() if large:
            way = "ByMonth" if model in BY_MONTH else "Concurrently"
            texts.append(f"locks a large table: {kind}{way}, with atomic = False")
        case migrations.AddConstraint() if large and isinstance(operation.constraint, models.CheckConstraint):
            texts.append("reads a large table under a lock: AddConstraintNotValid, then ValidateConstraint")
        case migrations.AddConstraint() if large:
            texts.append("builds an index under a lock: CREATE UNIQUE INDEX CONCURRENTLY, then the constraint USING it")
        case migrations.RunSQL():
            sql = " ".join(str(operation.sql).upper().split())
            if re.search(r"(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY", sql) and _names(BY_MONTH, sql):
                texts.append("fails where the table is partitioned: AddIndexByMonth, RemoveIndexByMonth")
            if re.search(r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)", sql) and _names(LARGE, sql):
                texts.append("locks a large table: CREATE INDEX CONCURRENTLY, with atomic = False")
            if re.search(r"ALTER TABLE .* ADD CONSTRAINT (?!.*NOT VALID)(?!.* USING INDEX)", sql) and _names(
                LARGE, sql
            ):
                texts.append("reads a large table under a lock: NOT VALID, then VALIDATE CONSTRAINT")
    return [f"{kind} {model}: {text}" for text in texts]


def _names(tables: set[str], sql: str) -> bool:
    return any(re.search(rf"\b(ARENA|PROVIDERS)_{name.upper()}\b", sql) for name in tables)


def test_new_migrations_run_beside_the_old_code_and_stop_nobody():
    for migration in new_migrations():
        created = {o.name.lower() for o in migration.operations if isinstance(o, migrations.CreateModel)}
        texts = [fault for operation in migration.operations for fault in faults(operation, created)]
        assert not texts, f"{migration.app_label}.{migration.name}: {texts}"
        concurrent = any(isinstance(o, AddIndexConcurrently | RemoveIndexConcurrently) for o in migration.operations)
        assert not (concurrent and migration.atomic), f"{migration.name} needs atomic = False"


def test_exempt_migrations_exist():
    names = MigrationLoader(None).disk_migrations
    for app, number in EXEMPT.items():
        assert [name for label, name in names if label == app and name.startswith(f"{number:04}_")], app


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Lab", "x", models.TextField()),
        migrations.AddField("Lab", "x", models.TextField(default="")),  # Django drops this default again
        migrations.RemoveField("Lab", "x"),
        migrations.RenameField("Lab", "x", "y"),
        migrations.DeleteModel("Lab"),
        migrations.RenameModel("Lab", "Laboratory"),
        migrations.AddIndex("Vote", models.Index(fields=["outcome"], name="x")),
        migrations.AddConstraint("Battle", models.CheckConstraint(condition=models.Q(pk=1), name="x")),
        migrations.AddConstraint("Battle", models.UniqueConstraint(fields=["left"], name="x")),
        AddIndexConcurrently("Vote", models.Index(fields=["outcome"], name="x")),
        RemoveIndexConcurrently("Battle", "x"),
        migrations.RunSQL("CREATE INDEX x ON arena_vote (outcome)"),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY x ON arena_vote (outcome)"),
        migrations.RunSQL("ALTER TABLE providers_call ADD CONSTRAINT x CHECK (true)"),
    ],
    ids=lambda operation: operation.describe(),
)
def test_the_linter_reports(operation):
    assert faults(operation)
    assert not faults(operation, {"lab", "vote", "battle"}) or isinstance(operation, migrations.RunSQL)


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Vote", "x", models.TextField(null=True)),
        migrations.AddField("Vote", "x", models.TextField(db_default="")),
        migrations.AddIndex("Lab", models.Index(fields=["name"], name="x")),
        AddIndexByMonth("Vote", models.Index(fields=["outcome"], name="x")),
        RemoveIndexByMonth("Battle", "x"),
        AddIndexConcurrently("Call", models.Index(fields=["outcome"], name="x")),
        AddConstraintNotValid("Battle", models.CheckConstraint(condition=models.Q(pk=1), name="x")),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY x ON providers_call (outcome)"),
        migrations.RunSQL("ALTER TABLE arena_vote ADD CONSTRAINT x CHECK (true) NOT VALID"),
        migrations.RunPython(migrations.RunPython.noop),
    ],
    ids=lambda operation: operation.describe(),
)
def test_the_linter_lets_pass(operation):
    assert faults(operation) == []
