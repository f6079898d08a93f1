"""Snapshots: taken once, never changed, computed again to the same digits by anybody."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from arena import voting
from arena.imports.votes import load
from leaderboard.board import history, ratings, snapshots, standings
from leaderboard.models import Snapshot
from leaderboard.rating import elo, reproduction
from providers.models import ImageModel
from tests import factories as make

pytestmark = pytest.mark.django_db

VOTES = settings.BASE_DIR / "arena" / "demo" / "votes" / "votes-genai-arena-text-to-image.csv"


@pytest.fixture
def category():
    category = make.make_category("genai")
    load.import_votes(VOTES.read_bytes(), category, "GenAI-Arena")
    return category


def another_vote(category):
    """One vote cast here on two of the category's models."""
    prompt = make.make_prompt(make.make_competition(category))
    left, right = (make.make_entry(prompt, model) for model in ImageModel.objects.filter(origin="imported")[:2])
    voting.cast_vote(make.make_battle(left=left, right=right), "left")


def test_a_snapshot_says_what_the_board_says(category):
    ratings.recompute(category)
    taken = snapshots.take(category)
    board = {standing.rating.image_model.name: standing.rating for standing in standings.board(category)}
    assert [row["model"] for row in taken.ratings] == list(board)
    for row in taken.ratings:
        rating = board[row["model"]]
        assert row["elo"] == f"{rating.elo:.6f}"
        assert float(row["lower"]) == pytest.approx(rating.lower, abs=2e-6)
        assert float(row["upper"]) == pytest.approx(rating.upper, abs=2e-6)
        assert (row["rank_interval"], row["tier"]) == ([rating.rank_low, rating.rank_high], rating.tier)
        assert (row["rank"], row["status"]) == (rating.rank_low, rating.status)
    assert taken.facts["votes"] == 1068
    assert taken.facts["side_effect"] is None  # the sides of imported votes were not randomised


def test_taking_twice_is_one_snapshot_and_a_vote_makes_another(category):
    first = snapshots.take(category)
    assert snapshots.take(category) == first
    another_vote(category)
    second = snapshots.take(category)
    assert second != first
    assert second.sha256 != first.sha256
    model = ImageModel.objects.get(name="PlayGroundV2")
    assert [point.snapshot for point in history.history(model, category)] == [first.pk, second.pk]


def test_the_periodic_task_takes_one_a_day_and_none_of_an_empty_board(category):
    make.make_category("empty")
    assert [taken.category for taken in snapshots.take_due()] == [category]
    assert snapshots.take_due() == []
    old = Snapshot.objects.create(
        **{
            name: getattr(Snapshot.objects.get(), name)
            for name in ("category", "method_version", "engine_version", "sha256", "cells", "ratings", "facts")
        },
        taken_at=timezone.now() - timedelta(days=1),
    )
    assert old.pk


def test_the_page_and_its_csv_stay_at_their_address_and_the_hash_is_that_of_the_file(client, category):
    taken = snapshots.take(category)
    ratings.recompute(category)
    page = client.get(f"/snapshots/{taken.pk}/").content.decode()
    for piece in (taken.sha256, taken.ratings[0]["elo"], f"/snapshots/{taken.pk}.csv", f"version {elo.METHOD_VERSION}"):
        assert piece in page
    response = client.get(f"/snapshots/{taken.pk}.csv")
    assert hashlib.sha256(response.content).hexdigest() == taken.sha256
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert sum(int(row["n"]) for row in rows) == 1068
    assert client.get("/snapshots/999999/").status_code == 404
    assert f"/snapshots/{taken.pk}/" in client.get("/leaderboard/genai/").content.decode()


def test_it_computes_again_to_the_same_digits_in_a_process_of_its_own(category, capsys):
    taken = snapshots.take(category)
    another_vote(category)  # the board moves on, the snapshot does not
    call_command("verify_snapshot", taken.pk)
    assert taken.sha256 in capsys.readouterr().out


def test_a_cap_that_does_not_follow_from_its_votes_and_voters_is_found(category):
    taken = snapshots.take(category)
    assert snapshots.verify(taken).differences == []
    taken.facts["rules"]["cap"] = 200
    assert "cap of a voter: the snapshot says 200, its votes and voters make 50" in snapshots.verify(taken).differences


def test_a_snapshot_of_an_earlier_release_is_held_to_the_cap_of_its_time(category):
    taken = snapshots.take(category)
    taken.facts["rules"] |= {"cap": 120, "cap_votes": 6_000, "cap_voters": 400, "cap_rule": "cap-2"}
    assert not any(line.startswith("cap of a voter") for line in snapshots.verify(taken).differences)
    taken.facts["rules"]["cap_rule"] = "cap-3"
    assert "cap of a voter: the snapshot says 120, its votes and voters make 60" in snapshots.verify(taken).differences


def test_its_file_in_any_order_with_cells_split_up_verifies_and_a_changed_one_does_not(category, tmp_path):
    taken = snapshots.take(category)
    cells = reproduction.read_csv(snapshots.cells_csv(taken))
    left, right, outcome, n = cells.pop()
    cells += [(left, right, outcome, n - 1), (left, right, outcome, 1)]
    random.Random(1).shuffle(cells)
    path = tmp_path / "cells.csv"
    path.write_text("left,right,outcome,n\n" + "".join(",".join(map(str, cell)) + "\n" for cell in cells))
    call_command("verify_snapshot", csv=path)
    path.write_text(path.read_text().replace(f",{n - 1}\n", f",{n + 7}\n"))
    with pytest.raises(CommandError, match="No snapshot has these cells"):
        call_command("verify_snapshot", csv=path)
    with pytest.raises(CommandError, match="sha256: the snapshot says"):
        call_command("verify_snapshot", taken.pk, csv=path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="no file of cells"):
        call_command("verify_snapshot", csv=path)


def test_a_snapshot_that_lies_is_found_out(category):
    taken = snapshots.take(category)
    rows = [row | {"elo": "1300.000000"} if index == 0 else row for index, row in enumerate(taken.ratings)]
    lie = Snapshot.objects.create(
        category=category,
        method_version=taken.method_version,
        engine_version=taken.engine_version,
        sha256=taken.sha256,
        cells=taken.cells,
        ratings=rows,
        facts=taken.facts,
    )
    verdict = snapshots.verify(lie)
    assert len(verdict.differences) == 1
    assert "1300.000000" in verdict.differences[0]


def test_whatever_is_forged_in_a_snapshot_breaks_its_chain_and_the_next_ones(category):
    """With the trigger off intervals forged to a tenth once still verified."""
    first = snapshots.take(category)
    another_vote(category)
    second = snapshots.take(category)
    assert snapshots.verify(first).differences == snapshots.verify(second).differences == []
    for forged in (
        {"ratings": [row | {"lower": row["elo"], "upper": row["elo"]} for row in first.ratings]},
        {"ratings": [row | {"status": "settled"} for row in first.ratings]},
        {"facts": first.facts | {"votes": 9_999}},
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE leaderboard_snapshot DISABLE TRIGGER USER")
            before = {name: getattr(first, name) for name in forged}
            Snapshot.objects.filter(pk=first.pk).update(**forged)
            differences = snapshots.verify(Snapshot.objects.get(pk=first.pk)).differences
            assert any("chain_sha256" in difference for difference in differences), forged
            assert not snapshots.is_intact(Snapshot.objects.get(pk=first.pk)), forged
            cache.clear()
            Snapshot.objects.filter(pk=first.pk).update(**before)
            cursor.execute("ALTER TABLE leaderboard_snapshot ENABLE TRIGGER USER")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE leaderboard_snapshot DISABLE TRIGGER USER")
        Snapshot.objects.filter(pk=first.pk).delete()
        cursor.execute("ALTER TABLE leaderboard_snapshot ENABLE TRIGGER USER")
    assert any("chain_sha256" in difference for difference in snapshots.verify(second).differences)


def test_the_cells_are_enough_for_anybody_without_database_or_django(category, tmp_path):
    taken = snapshots.take(category)
    path = tmp_path / "cells.csv"
    path.write_text(snapshots.cells_csv(taken))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "leaderboard.rating.reproduction", str(path)],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        check=True,
        env={},
    )
    assert "django" not in done.stderr
    again = json.loads(done.stdout)
    assert again["sha256"] == taken.sha256
    assert [row["elo"] for row in again["ratings"]] == [row["elo"] for row in taken.ratings]


def test_names_with_commas_quotes_and_breaks_survive(category):
    strange = 'a "model", v2\nbeta'
    data = f'left,right,outcome\n"{strange.replace(chr(34), chr(34) * 2)}",Other,left\nOther,Third,tie\n'
    other = make.make_category("strange")
    load.import_votes(data.encode(), other, "Elsewhere")
    taken = snapshots.take(other)
    assert strange in {row["model"] for row in taken.ratings}
    assert snapshots.verify(taken).differences == []


def test_commands_name_what_does_not_exist(category):
    with pytest.raises(CommandError, match="no snapshot 7777"):
        call_command("verify_snapshot", 7777)
    with pytest.raises(CommandError, match="Say which"):
        call_command("verify_snapshot")
    with pytest.raises(CommandError, match="no category nope"):
        call_command("take_snapshot", "nope")
    call_command("take_snapshot", "genai")
    assert Snapshot.objects.count() == 1
