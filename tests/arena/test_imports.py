"""Votes from elsewhere: all or nothing, once, and every bad line named."""

from __future__ import annotations

import sys

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from arena import imports
from arena.management.commands import import_votes
from arena.models import ImportedVote, Tally, VoteFile
from leaderboard import tallies
from providers.models import ImageModel
from tests import factories as make

pytestmark = pytest.mark.django_db

HEADER = "voter,prompt,left,right,outcome\n"
GOOD = (
    HEADER + "ann,p1,Alpha,Beta,left\nann,p1,Alpha,Beta,left\nben,p1,Beta,Alpha,tie\n,,Gamma,Alpha,both_bad\n"
).encode()


def test_votes_land_in_the_tallies_and_the_nightly_recount_agrees():
    category = make.make_category()
    done = imports.import_votes(GOOD, category, "Elsewhere")
    assert (done.rows, done.models, done.new) == (4, ("Alpha", "Beta", "Gamma"), True)
    assert sorted(ImportedVote.objects.values_list("line", "voter_key", "outcome")) == [
        (2, "ann", "left"),
        (3, "ann", "left"),
        (4, "ben", "tie"),
        (5, "", "both_bad"),
    ]
    assert {(t.left_model.name, t.outcome): t.n for t in Tally.objects.all()} == {
        ("Alpha", "left"): 2,
        ("Beta", "tie"): 1,
        ("Gamma", "both_bad"): 1,
    }
    assert tallies.differences(category) == {}


def test_the_same_file_twice_changes_nothing_and_another_adds():
    category = make.make_category()
    imports.import_votes(GOOD, category, "Elsewhere")
    assert not imports.import_votes(GOOD, category, "Elsewhere under another name").new
    imports.import_votes(GOOD + b"cat,p2,Beta,Gamma,right\n", category, "Elsewhere")
    assert VoteFile.objects.count() == 2
    assert Tally.objects.aggregate(n=Sum("n"))["n"] == 9
    assert ImageModel.objects.count() == 3


def test_known_names_and_slugs_are_the_models_they_name():
    make.make_model("flux.2-pro", "FLUX.2 [pro]", origin="catalog")
    make.make_model("gpt-image-2", "GPT Image 2", origin="catalog")
    imports.import_votes((HEADER + ",,flux.2-pro,GPT Image 2,left\n").encode(), make.make_category(), "Elsewhere")
    assert ImageModel.objects.count() == 2


@pytest.mark.parametrize("names", [("SD", "sd"), ("a b", "a-b"), ("模型", "модель"), ("...", "---"), ("v1.5", "v1-5")])
def test_any_two_names_are_two_models_and_come_back_as_they_were(names):
    imports.import_votes((HEADER + f",,{names[0]},{names[1]},left\n").encode(), make.make_category(), "Elsewhere")
    assert {model.export_name for model in ImageModel.objects.all()} == set(names)
    assert {model.origin for model in ImageModel.objects.all()} == {"imported"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "column left, right, outcome is missing"),
        (HEADER.encode(), "holds no votes"),
        (b"left,right\nA,B\n", "column outcome is missing"),
        ((HEADER + ",,A,B,win\n").encode(), "Line 2: the outcome “win”"),
        ((HEADER + ",,A,B,left\n,,A,,left\n").encode(), "Line 3: right names no model"),
        ((HEADER + ",,A,A,left\n").encode(), "Line 2: “A” is on both sides"),
        ((HEADER + ",,A,B,left,extra\n").encode(), "Line 2: more cells"),
        (b"left,right,outcome,time\nA,B,left,yesterday\n", "Line 2: the time “yesterday”"),
        ((HEADER + f",,{'A' * 200},B,left\n").encode(), "more than 160"),
        (HEADER.encode() + b",,\xff,B,left\n", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_whole_with_its_reason(data, reason):
    with pytest.raises(imports.BadVotes, match=reason):
        imports.import_votes(data, make.make_category(), "Elsewhere")
    assert not ImportedVote.objects.exists()
    assert not ImageModel.objects.exists()


def test_all_bad_lines_are_reported_together():
    data = (HEADER + ",,A,B,left\n,,A,A,left\n,,A,B,win\n").encode()
    with pytest.raises(imports.BadVotes) as caught:
        imports.import_votes(data, make.make_category(), "Elsewhere")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["Line 3", "Line 4"]


def test_the_command(tmp_path, capsys):
    make.make_category()
    file = tmp_path / "votes.csv"
    file.write_bytes(GOOD)
    arguments = ["import_votes", str(file), "--category", "text-to-image", "--source", "Elsewhere"]
    call_command(*arguments, "--dry-run")
    assert not ImportedVote.objects.exists()
    call_command(*arguments)
    call_command(*arguments)
    assert ImportedVote.objects.count() == 4
    assert "nothing changed" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"no category “video”.*text-to-image"):
        call_command("import_votes", str(file), "--category", "video", "--source", "x")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_votes", str(tmp_path / "none.csv"), "--category", "text-to-image", "--source", "x")


JSONL = b"""{"left": "Alpha", "right": "Beta", "outcome": "left", "voter": "ann", "time": "2026-01-02T03:04:05Z"}

{"left": "Beta", "right": "Alpha", "outcome": "tie", "voter": null, "prompt": 7}
"""


def test_json_lines_are_votes_too():
    imports.import_votes(JSONL, make.make_category(), "Elsewhere", kind="jsonl")
    assert sorted(ImportedVote.objects.values_list("line", "voter_key", "prompt_key", "outcome")) == [
        (1, "ann", "", "left"),
        (3, "", "7", "tie"),
    ]
    assert Tally.objects.filter(day="2026-01-02").count() == 1


def test_all_bad_json_lines_are_reported_by_number():
    data = JSONL + b'{"left": "A"\n[1, 2]\n{"left": "A", "right": "B", "outcome": "win"}\n'
    with pytest.raises(imports.BadVotes) as caught:
        imports.import_votes(data, make.make_category(), "Elsewhere", kind="jsonl")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["Line 4", "Line 5", "Line 6"]
    assert not ImportedVote.objects.exists()


def test_parquet_without_its_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(imports.BadVotes, match=r"image-arena\[parquet\]"):
        imports.import_votes(b"PAR1", make.make_category(), "Elsewhere", kind="parquet")


def test_parquet_files_are_votes_too():
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = pyarrow.BufferOutputStream()
    rows = {"left": ["A", "B"], "right": ["B", "A"], "outcome": ["left", "tie"], "prompt": [1, None]}
    parquet.write_table(pyarrow.table(rows), out)
    imports.import_votes(out.getvalue().to_pybytes(), make.make_category(), "Elsewhere", kind="parquet")
    assert sorted(ImportedVote.objects.values_list("line", "prompt_key")) == [(1, "1"), (2, "")]
    with pytest.raises(imports.BadVotes, match="no Parquet file"):
        imports.import_votes(b"nonsense", make.make_category(), "Elsewhere", kind="parquet")


def test_the_command_knows_a_file_by_its_name_and_tells_how_far_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(import_votes, "PROGRESS_EVERY", 2)
    make.make_category()
    file = tmp_path / "votes.jsonl"
    file.write_bytes(JSONL.replace(b"\n\n", b"\n"))
    call_command("import_votes", str(file), "--category", "text-to-image", "--source", "Elsewhere")
    captured = capsys.readouterr()
    assert "2 votes about 2 models imported" in captured.out
    assert captured.err.split("\n")[:2] == ["2 votes read", "2 votes stored"]
