"""Battles and votes by month: converting while voters vote, and what is promised afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from arena import battle_ids, battles, integrity, voting
from arena.battles import fetches
from arena.models import Battle, Report, Vote, Voter, VoterProgress
from config import health
from config.operations import alerts, backups, partitions, retention, state
from config.operations.partitions import conversion, layout
from leaderboard.board import ratings
from tests import factories as make
from tests import partitioned
from tests.config.test_database_roles import as_app  # noqa: F401 – a fixture


@pytest.fixture
def own(transactional_db, django_db_blocker) -> Iterator[None]:
    """A database of this test's own, not partitioned."""
    with partitioned.own_database():
        yield


@pytest.fixture
def by_month(db) -> None:
    """In this test's transaction: from this month on, each has a partition."""
    partitioned.convert_two_months_ago()


def table_of(row) -> str:
    with connection.cursor() as cursor:
        table, key = row._meta.db_table, row._meta.pk.column
        cursor.execute(f"SELECT tableoid::regclass::text FROM {table} WHERE {key} = %s", [row.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


def checked(action) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        action()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refused(action) -> None:
    with pytest.raises(IntegrityError):
        checked(action)


def catalog(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return sorted(cursor.fetchall())


INDEX_FILES = """
SELECT c.relfilenode FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname ~ '^arena_(battle|vote)(_rest)?$' AND c.relkind = 'i'
"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0 AND conrelid::regclass::text ~ '^arena_(battle|report|sharedanswer)$'
"""
OLD = {"id": UUID("f0000000-0000-4000-8000-000000000000"), "left_token": "o" * 22, "right_token": "p" * 22}


def test_a_filled_table_is_converted_as_it_stands(own):
    old = make.make_battle(**OLD | {"left_token": "2799" + "x" * 18})
    for battle in (old, make.make_battle()):
        voting.cast_vote(battle, "left")
    Report.objects.create(battle=old, entry=old.left, voter=old.voter, reason="broken")
    before = catalog(INDEX_FILES)
    references = catalog(FOREIGN_KEYS)
    said: list[str] = []
    partitions.convert(said.append)
    now = partitions.read()
    assert (now.is_partitioned, now.missing, now.unchecked) == (True, [], [])
    assert now.months == layout.months_ahead(3)[2:]
    assert catalog(INDEX_FILES) == before, "an index was built again"
    assert catalog(FOREIGN_KEYS) == references
    assert Vote.objects.count() == Battle.objects.count() == 2
    old.refresh_from_db()
    assert old.left_token == "0000" + "x" * 18, "would be in the way of the tokens of 2099"
    refused(partial(delete, old))
    again: list[str] = []
    partitions.convert(again.append)
    assert again == []


def delete(battle) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM arena_battle WHERE id = %s", [battle.pk])


class Killed(Exception):
    pass


@pytest.mark.parametrize("step", range(4))
def test_after_a_kill_the_command_goes_on(own, step):
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    said: list[str] = []

    def report(text: str) -> None:
        if len(said) == step:
            raise Killed
        said.append(text)

    with pytest.raises(Killed):
        partitions.convert(report)
    voting.cast_vote(make.make_battle(), "tie")  # the site goes on
    partitions.convert(said.append)
    now = partitions.read()
    assert (now.is_partitioned, now.missing, now.unchecked) == (True, [], [])
    assert Vote.objects.count() == 2


def test_voters_notice_nothing(own):
    """Votes of four voters while the tables are swapped: none is lost, none refused."""
    prompt = make.make_prompt()
    for _ in range(12):
        make.make_entry(prompt)
    category = prompt.competition.category
    voters = [make.make_voter() for _ in range(4)]
    cast: list[str] = []
    faults: list[BaseException] = []
    done = threading.Event()

    def vote(voter: Voter) -> None:
        try:
            late = 0
            while (battle := battles.serve(voter, category)) and late < 3:
                assert fetches.entry_of_battle(battle.left_token, is_load=True)
                voting.cast_vote(battle, "left")
                cast.append(str(battle.pk))
                late += done.is_set()
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=vote, args=[voter]) for voter in voters]
    for thread in threads:
        thread.start()
    while len(cast) < 8 and not faults:
        done.wait(0.01)
    partitions.convert(lambda _: None)
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert partitions.read().is_partitioned
    assert sorted(map(str, Vote.objects.values_list("pk", flat=True))) == sorted(cast)
    assert integrity.progress_differences() == []


def test_a_dry_run_changes_nothing(own):
    out = StringIO()
    call_command("partition_by_month", dry_run=True, stdout=out)
    assert "Partitioned: no" in out.getvalue()
    assert partitions.read() == layout.Layout(False, [], None, [])


def test_what_was_started_and_forgotten_starts_again(db):
    with partitioned.clock_moved(-3):
        conversion._under_short_lock(partial(conversion._add_checks, layout.months_ahead(2)[-1]))
    assert "run manage.py partition_by_month" in partitions.read().trouble
    partitions.convert(lambda _: None)
    assert partitions.read().trouble == ""
    assert partitions.read().first == layout.months_ahead(2)[-1]


def test_rows_go_to_the_table_of_their_month(by_month):
    this, following, old = partitioned.battle_of(0), partitioned.battle_of(1), make.make_battle(**OLD)
    for battle in (this, following, old):
        voting.cast_vote(battle, "left")
    months = [*layout.months_ahead(1), "rest"]
    assert [table_of(battle) for battle in (this, following, old)] == [f"arena_battle_{month}" for month in months]
    assert [table_of(battle.vote) for battle in (this, following, old)] == [f"arena_vote_{month}" for month in months]
    for battle in (this, following, old):
        assert fetches.entry_of_battle(battle.right_token, is_load=True)[0].pk == battle.right_id
        battle.refresh_from_db()
        assert battle.right_fetched_at is not None
    assert integrity.progress_differences() == []


def test_uniqueness_spans_the_months(by_month):
    this, following = partitioned.battle_of(0), partitioned.battle_of(1)
    same_pair = {"prompt": this.prompt, "voter": this.voter, "left": this.right, "right": this.left}
    refused(lambda: partitioned.battle_of(1, **same_pair))
    refused(lambda: partitioned.battle_of(0, **same_pair))
    refused(lambda: make.make_battle(**OLD, **same_pair))
    for side in ("left", "right"):
        other = {f"{side}_token": getattr(this, f"{side}_token")}
        refused(lambda other=other: partitioned.battle_of(1, **other))
        refused(lambda other=other: partitioned.battle_of(0, **other))
        refused(lambda other=other: make.make_battle(**OLD | other))
    moved = same_pair | {"left": this.left, "right": this.right}
    refused(lambda: Battle.objects.filter(pk=following.pk).update(**moved))
    voting.cast_vote(this, "left")
    vote = Vote.objects.get()
    refused(lambda: Vote.objects.bulk_create([vote]))
    vote.pk = battle_ids.new_id()
    refused(lambda: Vote.objects.bulk_create([vote]))
    refused(partial(delete, this))


def test_months_without_a_partition_are_refused_not_put_anywhere(by_month):
    refused(lambda: partitioned.battle_of(9))


def test_two_transactions_cannot_give_a_voter_the_same_pair(own):
    partitioned.convert_two_months_ago()
    first = make.make_battle()
    Battle.objects.all().delete()
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def store(ahead: int) -> None:
        pk = battle_ids.new_id(partitioned.middle_of_month(ahead))
        tokens = {f"{side}_token": battle_ids.new_token(pk) for side in ("left", "right")}
        fields = {name: getattr(first, name) for name in ("voter", "prompt", "left", "right", "expires_at")}
        try:
            with transaction.atomic():
                both.wait()
                Battle.objects.create(id=pk, probability=1, **fields, **tokens)
            outcomes.append("stored")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=store, args=[ahead]) for ahead in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "stored"]


def test_a_voter_whose_progress_forgot_a_pair_is_served_all_the_same(own):
    partitioned.convert_two_months_ago()
    prompt = make.make_prompt()
    entries = [make.make_entry(prompt) for _ in range(3)]
    voter = make.make_voter()
    category = prompt.competition.category
    skipped = partitioned.battle_of(1, voter=voter, left=entries[0], right=entries[1])
    voting.cast_vote(skipped, "left")
    for left, right in ((0, 2), (1, 2)):
        voting.cast_vote(partitioned.battle_of(1, voter=voter, left=entries[left], right=entries[right]), "left")
    VoterProgress.objects.update(met=b"")
    assert battles.serve(voter, category) is None
    assert Battle.objects.count() == 3


def test_the_months_to_come_are_made_and_missed(by_month, monkeypatch):
    assert partitions.add_months() == []
    with partitioned.clock_moved(1):
        made = partitions.add_months()
        assert len(made) == 1
        assert partitions.read().months[-1] == made[0] == layout.months_ahead(3)[-1]
    with partitioned.clock_moved(7):
        trouble = partitions.read().trouble
        assert "run manage.py partition_by_month" in trouble
        site = state.current()
        assert alerts.problems(site)["partitions"] == f"Votes will be refused: {trouble}."
        assert health.readiness()[1]["partitions"] == trouble
        partitions.add_months()
        assert partitions.read().trouble == ""
    assert health.readiness()[1]["partitions"] == "ok"


def test_a_site_that_is_not_partitioned_has_nothing_to_do(db):
    assert partitions.add_months() == []
    with partitioned.clock_moved(70):
        assert partitions.read().trouble == ""


@pytest.mark.parametrize("month", ["", "2613", "9999; DROP", "27-1"])
def test_the_function_makes_months_and_nothing_else(by_month, month):
    with pytest.raises(DataError, match="is no month"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT arena_add_month(%s)", [month])


def test_roles_keep_their_rights_and_make_months_without_owning_tables(as_app):  # noqa: F811
    with connection.cursor() as cursor:
        cursor.execute(f"RESET ROLE; GRANT REFERENCES ON arena_vote TO {as_app}")
        partitioned.convert_two_months_ago()
        cursor.execute(f'SET LOCAL ROLE "{as_app}"')
        cursor.execute("SELECT has_table_privilege('arena_vote', 'REFERENCES')")
        assert cursor.fetchone() == (True,)
    voting.cast_vote(partitioned.battle_of(1), "left")
    with partitioned.clock_moved(1):
        assert len(partitions.add_months()) == 1
        assert partitions.read().trouble == ""


def test_operations_work_on_partitions(by_month, client):
    battle, unanswered = partitioned.battle_of(0), partitioned.battle_of(1)
    voting.cast_vote(battle, "left")
    category = battle.prompt.competition.category
    ratings.recompute(category)
    integrity.exclude([battle.pk], "a test", "curator")
    assert integrity.progress_differences() == integrity.image_differences() == []
    Battle.objects.filter(pk=unanswered.pk).update(
        served_at=timezone.now() - timedelta(days=400), expires_at=timezone.now() - timedelta(days=399)
    )
    assert retention.prune(10)["unanswered battles"] == 1
    for url in (f"/leaderboard/{category.slug}/", f"/arena/{category.slug}/", "/integrity/", "/data/"):
        assert client.get(url).status_code in (200, 302), url


def test_a_partitioned_site_is_backed_up_and_restored(own, tmp_path: Path):
    partitioned.convert_two_months_ago()
    battle = partitioned.battle_of(1)
    voting.cast_vote(battle, "left")
    before, file = partitions.read(), tmp_path / "arena.tar"
    backups.backup(file)
    backups.check(file)
    Vote.objects.all().delete()
    backups.restore(file)
    connection.close()
    assert partitions.read() == before
    assert table_of(Vote.objects.get()) == f"arena_vote_{layout.months_ahead(1)[-1]}"
    refused(lambda: partitioned.battle_of(0, voter=battle.voter, left=battle.left, right=battle.right))
    with partitioned.clock_moved(1):
        assert len(partitions.add_months()) == 1
