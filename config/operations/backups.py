"""A backup is one tar file: `manifest.json`, `database.dump` (pg_dump's custom format), then `media/…`.

It is taken while the site runs. The rows are those of one moment, counted in the same snapshot that pg_dump reads; the
files are copied afterwards, so every file that a row names is there, unless it was taken away meanwhile.
"""

from __future__ import annotations

import io
import json
import secrets
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from config.operations import postgres
from providers.connections.database import release_connection

# Cookies that were handed out after the backup name voters that it does not have: nobody else may get their numbers.
SEQUENCE_JUMP = 1_000_000
LOCK_MILLISECONDS = 15_000  # after which a restore gives up: something still uses the tables
_COUNT = 'SELECT count(*) FROM "{}"'  # of one of our own tables


class BadBackup(Exception):
    """The file is no backup, or what it restores to is not what was backed up."""


@dataclass(frozen=True)
class Manifest:
    version: str
    taken_at: str
    rows: dict[str, int]  # table → rows
    snapshots: dict[str, str]  # id of a board's snapshot → sha256 of its cells
    files: int
    postgresql: int = 0  # the server's major version; 0: not noted yet


def backup(target: Path) -> Manifest:
    """Write the backup; the file appears under its name only when it is complete."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder, tarfile.open(partial, "w") as archive:
            dump = Path(folder, "database.dump")
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SELECT pg_export_snapshot()")
                (snapshot,) = cursor.fetchone()
                postgres.run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
                rows, snapshots = count_rows(), snapshot_hashes()
            archive.add(dump, "database.dump")
            files = 0
            for name in media_files():
                files += _add_file(archive, name)
            manifest = Manifest(settings.VERSION, timezone.now().isoformat(), rows, snapshots, files, _server())
            _add(archive, "manifest.json", json.dumps(asdict(manifest), indent=1).encode())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def check(source: Path) -> Manifest:
    """Restore into a scratch database, compare rows and snapshots with the manifest, drop it. Raises BadBackup."""
    manifest = read_manifest(source)
    scratch = f"{connection.settings_dict['NAME'][:40]}_check_{secrets.token_hex(4)}"
    with _extracted(source) as dump:
        _refuse_later(manifest, dump)
        postgres.run("psql", "--quiet", "--command", f'CREATE DATABASE "{scratch}" TEMPLATE template0')
        try:
            postgres.run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={scratch}", str(dump))
            counted = {
                table: int(postgres.run("psql", "-XAtc", _COUNT.format(table), database=scratch))
                for table in manifest.rows
            }
            hashes = postgres.run("psql", "-XAtc", "SELECT id, sha256 FROM leaderboard_snapshot", database=scratch)
        finally:
            postgres.run("psql", "--quiet", "--command", f'DROP DATABASE "{scratch}" WITH (FORCE)')
    wrong = {table: (n, counted[table]) for table, n in manifest.rows.items() if counted[table] != n}
    if wrong:
        raise BadBackup(f"Tables with other numbers of rows (backed up, restored): {wrong}")
    if dict(line.split("|") for line in hashes.splitlines()) != manifest.snapshots:
        raise BadBackup("The snapshots of boards are not those that were backed up.")
    with tarfile.open(source) as archive:
        files = sum(member.name.startswith("media/") for member in archive)
    if files != manifest.files:
        raise BadBackup(f"{files} files, but {manifest.files} were backed up.")
    return manifest


def restore(source: Path) -> Manifest:
    """Add the backup's files, then replace the site's rows by the backup's, all of them or none: whatever fails, the
    rows are those from before. Nothing else may use the database meanwhile. Raises BadBackup, ProgramFailed, OSError.
    """
    manifest = read_manifest(source)
    with _extracted(source) as dump:
        _refuse_later(manifest, dump)
        script = dump.with_name("restore.sql")
        postgres.run("pg_restore", "--no-owner", f"--file={script}", str(dump))
        _restore_files(source)
        release_connection()
        replace = f"SET lock_timeout = {LOCK_MILLISECONDS}; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        one_transaction = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
        postgres.run("psql", *one_transaction, f"--command={replace}", f"--file={script}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, sequencename FROM pg_sequences WHERE schemaname = 'public'")
        for schema, sequence in cursor.fetchall():
            cursor.execute(f"SELECT setval(%s, nextval(%s) + {SEQUENCE_JUMP})", [f'"{schema}"."{sequence}"'] * 2)
    return manifest


def _server() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        return int(cursor.fetchone()[0])


def _refuse_later(manifest: Manifest, dump: Path) -> None:
    """This code cannot work on the tables of a later release; `migrate` follows those of an earlier one. And a server
    does not know the settings that the dump of a later one begins with.
    """
    if manifest.postgresql > (server := _server()):
        raise BadBackup(
            f"The backup is of PostgreSQL {manifest.postgresql}, and this server is {server}: take a later one."
        )
    table = postgres.run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(dump))
    applied = {(fields[1], fields[2]) for line in table.splitlines() if len(fields := line.split("\t")) == 4}
    known = set(MigrationLoader(None).disk_migrations)
    apps = {app for app, _ in known}  # others are switched off by a setting
    if unknown := sorted(key for key in applied - known if key[0] in apps):
        names = ", ".join(".".join(key) for key in unknown)
        raise BadBackup(f"The backup is of a later release, with migrations that this one does not have: {names}.")


def _restore_files(source: Path) -> None:
    """Those that are there stay, but for one that is cut off: a restore that failed may have left it so."""
    with tarfile.open(source) as archive:
        for member in archive:
            name = member.name.removeprefix("media/")
            if not (member.name.startswith("media/") and member.isfile()):
                continue
            if default_storage.exists(name):
                if default_storage.size(name) == member.size:
                    continue
                default_storage.delete(name)
            content = archive.extractfile(member)
            assert content is not None
            default_storage.save(name, File(content))


def read_manifest(source: Path) -> Manifest:
    """Raises BadBackup, with the reason, for a file that is none."""
    try:
        with tarfile.open(source) as archive:
            file = archive.extractfile("manifest.json")
            assert file is not None
            return Manifest(**json.load(file))
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise BadBackup(f"{source} is no backup of Image Arena: {error}") from error


def count_rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counts = {}
        for table in sorted(tables):
            cursor.execute(_COUNT.format(table))
            counts[table] = int(cursor.fetchone()[0])
    return counts


def snapshot_hashes() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, sha256 FROM leaderboard_snapshot")
        return {str(pk): sha256 for pk, sha256 in cursor.fetchall()}


def media_files(folder: str = "") -> Iterator[str]:
    """Every file of the store, by name; none where nothing was ever stored."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        if not name.startswith("."):
            yield f"{folder}/{name}" if folder else name
    for inner in sorted(folders):
        yield from media_files(f"{folder}/{inner}" if folder else inner)


def _add_file(archive: tarfile.TarFile, name: str) -> int:
    """Copy the file in parts, however large it is; returns how many files were added."""
    member = tarfile.TarInfo(f"media/{name}")
    try:
        with default_storage.open(name) as file:
            member.size = file.size
            archive.addfile(member, file)
    except FileNotFoundError:  # taken away meanwhile
        return 0
    return 1


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@contextmanager
def _extracted(source: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, tarfile.open(source) as archive:
        file, target = archive.extractfile("database.dump"), Path(folder, "database.dump")
        assert file is not None
        with target.open("wb") as copy:
            while part := file.read(1 << 20):
                copy.write(part)
        yield target
