"""Indexes of battles and votes for migrations, whether or not the site has partitioned them (`partition_by_month`).

PostgreSQL builds no index of a partitioned table CONCURRENTLY. It takes one that spans nothing at first, and becomes
valid when an index of each partition has been attached; those are built while people vote.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.models import Index, Model

_IS_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass"
_WITHOUT = """
SELECT relname FROM pg_class t JOIN pg_inherits i ON i.inhrelid = t.oid
WHERE i.inhparent = %s::regclass AND NOT EXISTS (
    SELECT FROM pg_index x JOIN pg_inherits h ON h.inhrelid = x.indexrelid
    WHERE x.indrelid = t.oid AND h.inhparent = %s::regclass
) ORDER BY relname
"""


class AddIndexByMonth(AddIndexConcurrently):
    """AddIndexConcurrently for battles and votes; a run that was stopped is gone on with."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        _create(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        _remove(schema_editor, from_state.apps.get_model(app_label, self.model_name), self.index)


class RemoveIndexByMonth(RemoveIndexConcurrently):
    """RemoveIndexConcurrently for battles and votes."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _remove(schema_editor, from_state.apps.get_model(app_label, self.model_name), index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _create(schema_editor, to_state.apps.get_model(app_label, self.model_name), index)


def _create(editor: Any, model: type[Model], index: Index) -> None:
    if not _is_partitioned(editor, model):
        editor.add_index(model, index, concurrently=True)
        return
    table, quote = model._meta.db_table, editor.quote_name
    head = f"CREATE INDEX {quote(index.name)} ON {quote(table)} "
    rest = str(index.create_sql(model, editor)).removeprefix(head)
    editor.execute(f"CREATE INDEX IF NOT EXISTS {quote(index.name)} ON ONLY {quote(table)} {rest}", None)
    for partition in _rows(editor, _WITHOUT, [table, quote(index.name)]):
        own = quote(f"{index.name} {partition.removeprefix(f'{table}_')}")
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")  # half of one, of a migration that was stopped
        editor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {quote(partition)} {rest}", None)
        editor.execute(f"ALTER INDEX {quote(index.name)} ATTACH PARTITION {own}")


def _remove(editor: Any, model: type[Model], index: Index) -> None:
    """With its parts, at once, where the table is partitioned."""
    editor.remove_index(model, index, concurrently=not _is_partitioned(editor, model))


def _is_partitioned(editor: Any, model: type[Model]) -> bool:
    return bool(_rows(editor, _IS_PARTITIONED, [model._meta.db_table])[0])


def _rows(editor: Any, query: str, parameters: list[str]) -> list[Any]:
    with editor.connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row[0] for row in cursor.fetchall()]
