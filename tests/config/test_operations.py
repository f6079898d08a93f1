"""Backup, restore and prune, on the real database."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from arena import voting
from arena.models import Battle, Entry, Voter
from config.operations import backups, retention
from tests import factories as make


def output_of(*command: str, **options: Any) -> str:
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


@pytest.mark.django_db(transaction=True)
def test_what_was_backed_up_comes_back_and_later_voters_are_nobody_else(tmp_path: Path):
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    original = Entry.objects.get(pk=battle.left_id).original.name
    assert original
    content = read(original)
    file = tmp_path / "arena.tar"
    assert "files" in output_of("backup", str(file))
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(file))
    assert "as backed up" in output_of("restore", str(file), check=True)

    lost = make.make_voter()  # has a cookie by now, and is in no backup
    default_storage.delete(original)
    Battle.objects.filter(vote=None).delete()
    output_of("restore", str(file), yes=True)
    connection.close()
    assert Battle.objects.get().vote.outcome == "left"
    assert read(original) == content
    assert not Voter.objects.filter(pk=lost.pk).exists()
    assert make.make_voter().pk > lost.pk + backups.SEQUENCE_JUMP - 10


@pytest.mark.django_db(transaction=True)
def test_files_pass_in_parts_however_large_they_are(tmp_path: Path, monkeypatch):
    content = bytes(range(256)) * 20_000
    name = default_storage.save("originals/large.png", ContentFile(content))
    sizes: list[int] = []

    def reading(file: File[bytes]) -> Callable[..., bytes]:
        def read(size: int = -1) -> bytes:
            sizes.append(size if size >= 0 else len(content))
            assert file.file
            return bytes(file.file.read(size))

        return read

    monkeypatch.setattr(File, "read", property(reading))
    call_command("backup", str(tmp_path / "arena.tar"), stdout=StringIO())
    assert 0 < max(sizes) < len(content) // 4
    monkeypatch.undo()
    default_storage.delete(name)
    with tarfile.open(tmp_path / "arena.tar") as archive:
        member = archive.extractfile(f"media/{name}")
        assert member
        assert member.read() == content


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_lost_rows_fails_its_check(tmp_path: Path, monkeypatch):
    make.make_voter()
    count = backups.count_rows
    monkeypatch.setattr(backups, "count_rows", lambda: count() | {"arena_voter": 7})
    call_command("backup", str(tmp_path / "arena.tar"), stdout=StringIO())
    with pytest.raises(CommandError, match="arena_voter"):
        call_command("restore", str(tmp_path / "arena.tar"), check=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '_check_%%'")
        assert cursor.fetchone() == (0,)
    (tmp_path / "other").write_text("no backup")
    with pytest.raises(CommandError, match="is no backup"):
        call_command("restore", str(tmp_path / "other"), check=True)


@pytest.mark.django_db(transaction=True)
def test_a_restore_that_fails_leaves_every_row_as_it_was(tmp_path: Path, monkeypatch):
    """At its beginning, because a process that was not stopped holds a table, or when the old rows are gone already."""
    file = tmp_path / "arena.tar"
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA of_another_program")
    call_command("backup", str(file), stdout=StringIO())
    later = make.make_voter()
    monkeypatch.setattr(backups, "LOCK_MILLISECONDS", 300)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT 1 FROM arena_voter")
        with pytest.raises(CommandError, match="lock timeout"):
            call_command("restore", str(file), yes=True)
    with pytest.raises(CommandError, match=r"of_another_program.* already exists"):
        call_command("restore", str(file), yes=True)
    connection.close()
    assert Voter.objects.filter(pk=later.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA of_another_program")
    call_command("restore", str(file), yes=True, stdout=StringIO())
    connection.close()
    assert not Voter.objects.filter(pk=later.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA of_another_program")


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_a_later_release_is_refused_before_anything_changes(tmp_path: Path):
    file, later = tmp_path / "arena.tar", MigrationRecorder.Migration.objects.create(app="arena", name="9999_later")
    MigrationRecorder.Migration.objects.create(app="app_that_is_switched_off", name="0001_initial")
    call_command("backup", str(file), stdout=StringIO())
    later.delete()
    for check in (True, False):
        with pytest.raises(CommandError, match=r"later release, .* arena\.9999_later"):
            call_command("restore", str(file), check=check, yes=True)
    MigrationRecorder.Migration.objects.filter(app="app_that_is_switched_off").delete()


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_a_later_postgresql_is_refused_with_both_versions(tmp_path: Path):
    file, edited = tmp_path / "arena.tar", tmp_path / "edited.tar"
    call_command("backup", str(file), stdout=StringIO())
    server = backups.read_manifest(file).postgresql
    assert server >= 15
    for version, refused in (({"postgresql": server + 1}, True), ({"postgresql": server}, False), ({}, False)):
        with tarfile.open(file) as archive, tarfile.open(edited, "w") as copy:
            for member in archive:
                reader = archive.extractfile(member)
                assert reader is not None
                content = reader.read()
                if member.name == "manifest.json":
                    manifest = json.loads(content)
                    assert manifest.pop("postgresql") == server
                    content = json.dumps(manifest | version).encode()
                    member.size = len(content)
                copy.addfile(member, BytesIO(content))
        expected = pytest.raises(CommandError, match=f"PostgreSQL {server + 1}, and this server is {server}")
        with expected if refused else nullcontext():
            call_command("restore", str(edited), check=True, stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_a_file_that_an_earlier_restore_left_cut_off_is_replaced(tmp_path: Path):
    name = default_storage.save("originals/whole.png", ContentFile(b"0123456789"))
    call_command("backup", str(tmp_path / "arena.tar"), stdout=StringIO())
    default_storage.delete(name)
    assert default_storage.save(name, ContentFile(b"0123")) == name
    call_command("restore", str(tmp_path / "arena.tar"), yes=True, stdout=StringIO())
    connection.close()
    assert read(name) == b"0123456789"


@pytest.mark.django_db
def test_restore_asks_first(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(backups, "read_manifest", lambda source: backups.Manifest("1", "yesterday", {}, {}, 0))
    monkeypatch.setattr("builtins.input", lambda question: "another")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", str(tmp_path / "arena.tar"))


@pytest.mark.django_db
def test_pruning_deletes_what_is_old_and_unused_and_nothing_else():
    old = timezone.now() - timedelta(days=500)
    long_ago = {"served_at": old - timedelta(hours=1), "expires_at": old}
    unanswered = make.make_battle(**long_ago)
    voting_battle = make.make_battle()
    voting.cast_vote(voting_battle, "tie")
    Battle.objects.filter(pk=voting_battle.pk).update(**long_ago)
    fresh = make.make_battle()
    Voter.objects.update(created_at=old)
    idle, recent = make.make_voter(), make.make_voter()
    Voter.objects.filter(pk=idle.pk).update(created_at=old)
    Session.objects.create(session_key="old", session_data="", expire_date=old)

    assert f"{1:>10,} unanswered battles" in output_of("prune", dry_run=True)
    counts = retention.prune(limit=10)
    assert counts["unanswered battles"] == 1
    assert counts["voters without battles"] == 2  # the idle one, and the one whose only battle went
    assert counts["sessions"] == 1
    assert not Battle.objects.filter(pk=unanswered.pk).exists()
    assert set(Battle.objects.values_list("pk", flat=True)) == {voting_battle.pk, fresh.pk}
    assert Voter.objects.filter(pk=recent.pk).exists()
    assert retention.prune(limit=10) == dict.fromkeys(counts, 0)


@pytest.mark.django_db
def test_a_run_is_bounded():
    for _ in range(5):
        make.make_voter()
    Voter.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert retention.prune(limit=2)["voters without battles"] == 2
    assert Voter.objects.count() == 3
