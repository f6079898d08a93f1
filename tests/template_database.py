"""All migrations applied once: the databases of the tests are copies, and what was migrated is stored for later runs.

Applying them takes a quarter of a minute, restoring the file a second, copying the database a tenth of one. Permissions
and groups are not in it: the tests' own `migrate`, which then finds nothing to apply, creates them each time.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from config.services.places import CHECKOUT

FOLDER = CHECKOUT / "var" / "test-database"
LOCK = 0x7E57DB  # any number that no lock of the site has: it is held in a database that is not the site's


def prepare() -> str:
    """The name of a database of the connected server in which every migration is applied, and nobody is connected.

    The first of several processes that ask makes it; the others wait.
    """
    name = f"template_{_fingerprint()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until the cursor's connection is closed
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
        if not cursor.fetchone()[0]:
            unfinished = f"{name}_unfinished"
            cursor.execute(f"DROP DATABASE IF EXISTS {unfinished}")
            cursor.execute(f"CREATE DATABASE {unfinished}")
            _fill(unfinished, FOLDER / f"{name}.sql")
            cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    return name


def _fingerprint() -> str:
    """Changes with the text of any migration, ours or a package's, with who applies them, and with this module."""
    digest = hashlib.sha256(f"{django.VERSION} {connection.get_database_version()} {sys.version_info[:2]}".encode())
    digest.update(Path(__file__).read_bytes())
    for key, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        digest.update(f"{key}".encode() + Path(inspect.getfile(type(migration))).read_bytes())
    return digest.hexdigest()[:16]


def _fill(name: str, file: Path) -> None:
    if file.exists():
        _run("psql", name, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={file}")
        return
    with _connected_to(name):
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        _keep_autovacuum_away()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for outdated in FOLDER.iterdir():
        outdated.unlink(missing_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    _run("pg_dump", name, "--no-owner", f"--file={unfinished}")
    unfinished.rename(file)


def _keep_autovacuum_away() -> None:
    """It sees pages, but no row of the transactions that tests roll back, and notes: “139 pages, no row”.

    From then on the planner takes the table for empty however many rows a test makes: one of a few hundred votes spent
    half a minute in Postgres instead of a second. Without such a note the planner goes by the table's size.
    """
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} SET (autovacuum_enabled = off)")


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    settings, before = connection.settings_dict, connection.settings_dict["NAME"]
    connection.close()
    settings["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = before


def main() -> None:
    """Prepare it while nobody waits: in a new checkout that takes a quarter of a minute."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    prepare()


def _run(program: str, database: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on a database of the connected server."""
    settings: dict[str, Any] = connection.settings_dict
    places = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    environment = {name: str(settings[key]) for name, key in places.items() if settings[key]}
    command = [program, *arguments, "--dbname", database]
    subprocess.run(command, check=True, env=os.environ | environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
