"""Votes from elsewhere: all or nothing, once, and every bad line named."""

from __future__ import annotations

import contextlib
import csv
import io
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.imports.votes import files, load
from arena.management.commands import import_votes
from arena.models import ImportedVote, Tally, VoteFile
from leaderboard.board import pair_counts
from providers.models import ImageModel
from tests import factories as make

pytestmark = pytest.mark.django_db

HEADER = "voter,prompt,left,right,outcome\n"
GOOD = (
    HEADER + "ann,p1,Alpha,Beta,left\nann,p1,Alpha,Beta,left\nben,p1,Beta,Alpha,tie\n,,Gamma,Alpha,both_bad\n"
).encode()


def test_votes_land_in_the_tallies_and_the_nightly_recount_agrees():
    category = make.make_category()
    done = load.import_votes(GOOD, category, "Elsewhere")
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
    assert pair_counts.differences(category) == {}


def test_a_public_category_refuses_votes_on_private_models_and_names_them():
    make.make_model("alpha", "Alpha", is_private=True)
    with pytest.raises(load.BadVotes) as caught:
        load.import_votes(GOOD, make.make_category(), "Elsewhere")
    assert caught.value.problems == ["Alpha: these are private models, and the category is public."]
    assert not VoteFile.objects.exists()
    assert not ImageModel.everything.filter(name="Beta").exists()


def test_the_same_file_twice_changes_nothing_and_another_adds():
    category = make.make_category()
    load.import_votes(GOOD, category, "Elsewhere")
    assert not load.import_votes(GOOD, category, "Elsewhere under another name").new
    load.import_votes(GOOD + b"cat,p2,Beta,Gamma,right\n", category, "Elsewhere")
    assert VoteFile.objects.count() == 2
    assert Tally.objects.aggregate(n=Sum("n"))["n"] == 9
    assert ImageModel.objects.count() == 3


def test_known_names_and_slugs_are_the_models_they_name():
    make.make_model("flux.2-pro", "FLUX.2 [pro]", origin="catalog")
    make.make_model("gpt-image-2", "GPT Image 2", origin="catalog")
    load.import_votes((HEADER + ",,flux.2-pro,GPT Image 2,left\n").encode(), make.make_category(), "Elsewhere")
    assert ImageModel.objects.count() == 2


@pytest.mark.parametrize("names", [("SD", "sd"), ("a b", "a-b"), ("模型", "модель"), ("...", "---"), ("v1.5", "v1-5")])
def test_any_two_names_are_two_models_and_come_back_as_they_were(names):
    load.import_votes((HEADER + f",,{names[0]},{names[1]},left\n").encode(), make.make_category(), "Elsewhere")
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
        (HEADER.encode() + b",,\xff,B,left\n", "not UTF-8 text .*line 2"),
        (b"\xff\xfeA", "begins like UTF-16 text"),
        (b"left,right,left,outcome\nA,B,C,left\n", "Line 1: the column left is there twice"),
        ((HEADER + ",,A\0,B,left\n").encode(), "Line 2: left holds a character that is none"),
        ((HEADER + "v\0,,A,B,left\n").encode(), "Line 2: voter holds a character"),
        (
            (HEADER + ',,A,B,left\n,,A,B,"left\n' + ",,A,B,left\n" * 9).encode(),
            r"(?s)Line 12: the outcome “left.{50,60}…” is",
        ),
        ((HEADER + ",,A,B,left\n,,A,B," + "x" * 200_000).encode(), "breaks off as CSV after 1 votes"),
        (b"left,right,outcome,time\nA,B,left,0001-01-01T00:00:00+14:00\n", "Line 2: the time"),
    ],
)
def test_a_bad_file_is_refused_whole_with_its_reason(data, reason):
    with pytest.raises(load.BadVotes, match=reason):
        load.import_votes(data, make.make_category(), "Elsewhere")
    assert not ImportedVote.objects.exists()
    assert not ImageModel.objects.exists()


def test_all_bad_lines_are_reported_together():
    data = (HEADER + ",,A,B,left\n,,A,A,left\n,,A,B,win\n").encode()
    with pytest.raises(load.BadVotes) as caught:
        load.import_votes(data, make.make_category(), "Elsewhere")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["Line 3", "Line 4"]


def test_files_as_other_programs_write_them_are_read_the_same():
    rows = [("ann", "p1", "Älpha", "Beta", "left"), ("ben", "a, b", 'Quo"ted', "Beta", "tie")]
    body = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    plain = ["voter,prompt,left,right,outcome", *body]
    expected = None
    for end in ("\n", "\r\n", "\r"):
        for before, after in (("", ""), ("\ufeff", ""), ("", end * 3)):
            for header in (plain[0], ' Voter ,PROMPT,Left,right,"outcome"'):
                text = before + end.join([header, *body]) + end + after
                rows = [row[1:6] for row in files.read(text.encode())]
                expected = expected or rows
                assert rows == expected
    assert [row[0] for row in expected] == ["Älpha", 'Quo"ted']
    assert expected[1][4] == "a, b"


def test_cells_with_tabs_breaks_and_backslashes_come_back_as_they_were():
    voter, prompt = "a\\tb\tc\\.", "one\ntwo\r\nthree\\N"
    text = f'{HEADER}"{voter}","{prompt}",A,B,left\n\\N,\\.,A,B,tie\n'
    load.import_votes(text.encode(), make.make_category(), "Elsewhere")
    assert sorted(ImportedVote.objects.values_list("voter_key", "prompt_key")) == sorted(
        [(voter, prompt), ("\\N", "\\.")]
    )


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(TEXT, TEXT, st.sampled_from(["left", "right", "tie", "both_bad", " left ", "win", ""]), TEXT))
)
def test_any_lines_are_votes_or_named_as_bad(rows):
    out = io.StringIO()
    csv.writer(out).writerows([("left", "right", "outcome", "voter"), *rows])

    def good(row):
        left, right = row[0].strip(), row[1].strip()
        named = left and right and left != right and "\0" not in left + right + row[3].strip()
        return named and row[2].strip() in ("left", "right", "tie", "both_bad")

    if rows and all(map(good, rows)):
        assert [row.left for row in files.read(out.getvalue().encode())] == [row[0].strip() for row in rows]
    else:
        with pytest.raises(load.BadVotes) as caught:
            files.read(out.getvalue().encode())
        assert len(caught.value.problems) == max(1, sum(not good(row) for row in rows))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass"))))
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rubbish_is_refused_and_never_a_crash(kind, data):
    for file in (data, b"left,right,outcome\n" + data, b'{"left": "A", "right": "B", "outcome": ' + data):
        with contextlib.suppress(load.BadVotes):
            files.read(file, files.FileFormat(kind))


def test_a_character_that_json_can_write_and_text_cannot_hold_is_a_bad_line():
    data = rb'{"left": "A", "right": "B", "outcome": "left", "voter": "\ud800"}'
    with pytest.raises(load.BadVotes, match="Line 1: voter holds a character"):
        load.import_votes(data, make.make_category(), "Elsewhere", form=files.FileFormat("jsonl"))
    with pytest.raises(load.BadVotes, match="nested too deeply"):
        files.read(b"[" * 100_000, files.FileFormat("jsonl"))


def test_a_time_counts_for_its_day_in_utc():
    rows = files.read(b"left,right,outcome,time\nA,B,left,2026-03-01T00:30:00+02:00\nA,B,left,2026-03-01\nA,B,tie, \n")
    assert [row.day.isoformat() for row in rows[:2]] == ["2026-02-28", "2026-03-01"]
    assert [row.is_dated for row in rows] == [True, True, False]


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
    load.import_votes(JSONL, make.make_category(), "Elsewhere", form=files.FileFormat("jsonl"))
    assert sorted(ImportedVote.objects.values_list("line", "voter_key", "prompt_key", "outcome")) == [
        (1, "ann", "", "left"),
        (3, "", "7", "tie"),
    ]
    assert Tally.objects.filter(day="2026-01-02").count() == 1


def test_all_bad_json_lines_are_reported_by_number():
    data = JSONL + b'{"left": "A"\n[1, 2]\n{"left": "A", "right": "B", "outcome": "win"}\n'
    with pytest.raises(load.BadVotes) as caught:
        load.import_votes(data, make.make_category(), "Elsewhere", form=files.FileFormat("jsonl"))
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["Line 4", "Line 5", "Line 6"]
    assert not ImportedVote.objects.exists()


def test_parquet_without_its_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(load.BadVotes, match="pip install pyarrow"):
        load.import_votes(b"PAR1", make.make_category(), "Elsewhere", form=files.FileFormat("parquet"))


def test_parquet_files_are_votes_too():
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = pyarrow.BufferOutputStream()
    rows = {"left": ["A", "B"], "right": ["B", "A"], "outcome": ["left", "tie"], "prompt": [1, None]}
    parquet.write_table(pyarrow.table(rows), out)
    load.import_votes(out.getvalue().to_pybytes(), make.make_category(), "Elsewhere", form=files.FileFormat("parquet"))
    assert sorted(ImportedVote.objects.values_list("line", "prompt_key")) == [(1, "1"), (2, "")]
    with pytest.raises(load.BadVotes, match="no Parquet file"):
        load.import_votes(b"nonsense", make.make_category(), "Elsewhere", form=files.FileFormat("parquet"))
    with pytest.raises(load.BadVotes, match="no Parquet file"):
        files.read(out.getvalue().to_pybytes()[:-20], files.FileFormat("parquet"))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"left": ["A"], "outcome": ["left"]}, "^the column right is missing"),
        ({"left": ["A", None], "right": ["B", "B"], "outcome": ["left", None]}, "^Line 2: left names no model; .* “”"),
        ({"left": ["A"], "right": [["B"]], "outcome": [3]}, "^Line 1: the outcome “3” is none of"),
        ({"left": ["A"], "right": ["B"], "outcome": ["left"], "time": ["noon"]}, "“noon” is neither ISO 8601"),
        ({"left": [], "right": [], "outcome": []}, "holds no votes"),
    ],
)
def test_parquet_files_are_checked_row_by_row(columns, reason):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns), out)
    with pytest.raises(load.BadVotes, match=reason):
        files.read(out.getvalue().to_pybytes(), files.FileFormat("parquet"))


@pytest.mark.parametrize("source", ["", " ", "x" * 201])
def test_the_command_asks_for_a_source(tmp_path, source):
    make.make_category()
    file = tmp_path / "votes.csv"
    file.write_bytes(b"left,right,outcome\nA,B,left\n")
    with pytest.raises(CommandError, match="1 to 200 characters"):
        call_command("import_votes", str(file), "--category", "text-to-image", "--source", source)


def test_the_command_knows_a_file_by_its_name_and_reports_its_progress(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(import_votes, "PROGRESS_EVERY", 2)
    make.make_category()
    file = tmp_path / "votes.jsonl"
    file.write_bytes(JSONL.replace(b"\n\n", b"\n"))
    call_command("import_votes", str(file), "--category", "text-to-image", "--source", "Elsewhere")
    captured = capsys.readouterr()
    assert "2 votes about 2 models imported" in captured.out
    assert captured.err.split("\n")[:2] == ["2 votes read", "2 votes stored"]
