"""Backup, restore and prune, on the real database."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from arena import voting
from arena.integrity import alarm
from arena.models import Battle, Entry, Vote, Voter
from config.operations import backups, pruning, state
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
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'restore_check_%%'")
        assert cursor.fetchone() == (0,)
    (tmp_path / "other").write_text("no backup")
    with pytest.raises(CommandError, match="is no backup"):
        call_command("restore", str(tmp_path / "other"), check=True)


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
    counts = pruning.prune(limit=10)
    assert counts["unanswered battles"] == 1
    assert counts["voters without battles"] == 2  # the idle one, and the one whose only battle went
    assert counts["sessions"] == 1
    assert not Battle.objects.filter(pk=unanswered.pk).exists()
    assert set(Battle.objects.values_list("pk", flat=True)) == {voting_battle.pk, fresh.pk}
    assert Voter.objects.filter(pk=recent.pk).exists()
    assert pruning.prune(limit=10) == dict.fromkeys(counts, 0)


@pytest.mark.django_db
def test_a_run_is_bounded():
    for _ in range(5):
        make.make_voter()
    Voter.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert pruning.prune(limit=2)["voters without battles"] == 2
    assert Voter.objects.count() == 3


@pytest.mark.django_db
def test_the_operators_page_names_what_is_wrong(admin_client, settings, tmp_path):
    make.make_generation()
    make.make_call(outcome="timeout", error="No answer", offering=make.make_offering(provider="fal"))
    page = admin_client.get("/admin/health/").content.decode()
    assert "has not been seen for a day" in page or "silent for" in page or ">ok<" in page
    assert "Generations queued" in page
    assert "fal: timeout" in page
    assert state.current().tables[0].name in page
    assert "not applied" not in page


@pytest.mark.django_db
def test_alarms_about_votes_stand_on_the_operators_page_and_in_metrics(admin_client, settings):
    settings.METRICS_TOKEN = "let-me-see"

    def metrics():
        reply = admin_client.get("/metrics", headers={"authorization": "Bearer let-me-see"})
        return [line for line in reply.content.decode().splitlines() if line.startswith("arena_integrity_alarms")]

    cache.delete(alarm.STANDING)
    assert "not looked at within the hour" in admin_client.get("/admin/health/").content.decode()
    assert metrics() == []
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    Vote.objects.update(cast_at=timezone.now() - timedelta(hours=1))  # and no watch has looked
    alarm.raise_new()
    alarm.raise_new()
    assert "The check of voters has been down since" in admin_client.get("/admin/health/").content.decode()
    assert metrics() == ["arena_integrity_alarms 1.0"]


@pytest.mark.django_db
def test_metrics_want_their_token_and_say_the_same(client, settings):
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "let-me-see"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    make.make_generation()
    reply = client.get("/metrics", headers={"authorization": "Bearer let-me-see"})
    lines = reply.content.decode().splitlines()
    assert 'arena_generations{status="queued"} 1.0' in lines
    assert "arena_migrations_missing 0.0" in lines
    assert any(line.startswith("arena_alive{") for line in lines)
