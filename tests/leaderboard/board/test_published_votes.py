"""From the published votes alone an outsider derives the board's own numbers."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from arena import integrity
from arena.imports.votes import load
from arena.integrity import caps
from arena.models import Vote, Voter
from leaderboard.board import published_votes, ratings, snapshots
from leaderboard.models import PublishedVotes
from leaderboard.rating import reproduction
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


def category_of_a_study():
    """Votes cast here, on one prompt, by 25 voters; three of them excluded; and imported ones with keys."""
    category = make.make_category()
    models = [make.make_model(name=name) for name in ("Ash", "Birch", "Cedar", "Dogwood")]
    cast(category, models, 160, voters=25)
    integrity.exclude([vote.pk for vote in Vote.objects.order_by("pk")[:3]], "a test", "test-1")
    rows = "".join(
        f"v{n % 20},p{n % 15},{models[n % 4].slug},{models[(n + 1 + n % 2) % 4].slug},{'left' if n % 3 else 'tie'}\n"
        for n in range(200)
    )
    load.import_votes(f"voter,prompt,left,right,outcome\n{rows}".encode(), category, "A study")
    assert ratings.recompute(category, force=True)
    return category


@pytest.fixture(scope="module")
def shared_category(shared_rows):
    return shared_rows.make(category_of_a_study)


@pytest.fixture
def category(shared_rows, shared_category):
    return shared_rows.lend(shared_category)


def test_a_month_of_votes_gives_the_very_numbers_of_the_page(client, category, tmp_path):
    caps.recount(category.pk)
    taken = snapshots.take(category)
    files = client.get("/data/files.json").json()["votes"]
    paths = []
    for file in files:
        content = b"".join(client.get(file["url"]).streaming_content)
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
        assert taken.facts["votes_files"][file["month"]] == file["sha256"]
        paths.append(tmp_path / f"{file['month']}.csv")
        paths[-1].write_bytes(content)
    stated = taken.facts["rules"]
    assert (stated["cap"], stated["cap_votes"], stated["cap_voters"]) == (50, 157, 25)
    assert reproduction.cap_of(paths) == {"cap": 50, "votes": 157, "voters": 25, "most": 7}
    cells, rows = reproduction.rate_votes(paths, taken.facts["anchor"])
    assert reproduction.digest(reproduction.cells_csv(cells)) == taken.sha256
    page = {
        row["model"]: row
        for row in csv.DictReader(client.get(f"{category.get_absolute_url()[:-1]}.csv").content.decode().splitlines())
    }
    for row in rows:
        shown = page[row["model"]]
        for name in ("elo", "lower", "upper"):
            assert float(shown[name]) == pytest.approx(float(row[name]), abs=1e-4)
        assert [int(shown[name]) for name in ("rank_low", "rank_high", "tier", "votes")] == [
            *row["rank_interval"], row["tier"], row["votes"],
        ]  # fmt: skip
    assert len(rows) == 4


def test_votes_name_no_voter_and_those_that_do_not_count_say_why(category):
    (month,) = published_votes.months(category)
    rows = [dict(zip(published_votes.COLUMNS, row, strict=True)) for row in published_votes.rows(category, month)]
    assert len(rows) == 360
    assert [row["reason"] for row in rows if row["counted"] == "no"] == ["test-1: a test"] * 3
    here = {row["voter"] for row in rows if not row["source"]}
    assert len(here) == 25
    assert not here & {str(value) for voter in Voter.objects.all() for value in (voter.pk, getattr(voter, "token", ""))}
    earlier = {published_votes._pseudonym(month - timedelta(days=28), category, f"voter {pk}") for pk in range(999)}
    assert not here & earlier


def test_a_file_never_changes_and_a_new_vote_makes_a_new_version(category):
    first = published_votes.publish(category)
    assert published_votes.publish(category) == first
    assert PublishedVotes.objects.count() == 1
    vote = Vote.objects.filter(excluded_reason="").first()
    integrity.exclude([vote.pk], "another test", "test-2")
    assert published_votes.publish(category) != first
    assert PublishedVotes.objects.count() == 2


def test_the_command_writes_files_with_their_hashes_and_a_schema(category, tmp_path):
    call_command("export_votes", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {entry["votes"] for entry in manifest} == {360}
    for entry in manifest:
        assert hashlib.sha256((tmp_path / "out" / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    schema = json.loads((tmp_path / "out" / "schema.json").read_text())
    assert tuple(schema) == published_votes.COLUMNS
    with pytest.raises(CommandError, match="no category nope"):
        call_command("export_votes", tmp_path, "nope")


def test_the_data_page_lists_what_is_published(client, category):
    assert b"Nothing is published yet" in client.get("/data/").content
    taken = snapshots.take(category)
    page = client.get("/data/").content.decode()
    assert "hash and chain match" in page
    for piece in (PublishedVotes.objects.get().sha256, taken.get_absolute_url(), "CC BY 4.0", "360"):
        assert piece in page
