"""Votes as other arenas write them, and imports that are withdrawn again."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from arena import integrity, voting
from arena.imports.votes import files, load
from arena.models import ImportedName, ImportedVote, Tally, VoteFile
from leaderboard.board import pair_counts, ratings
from leaderboard.models import Rating
from tests import factories as make

pytestmark = pytest.mark.django_db

A, B, C = "sample-halogen", "sample-slate", "sample-impasto"
FOUR = [(A, B, "left"), (B, C, "right"), (A, C, "tie"), (A, B, "both_bad")]
LMARENA_CSV = f"model_a,model_b,winner\n{A},{B},model_a\n{B},{C},model_b\n{A},{C},tie\n{A},{B},tie (bothbad)\n".encode()
LMARENA_JSONL = "\n".join(
    json.dumps(
        {
            "question_id": f"q{n}",
            "model_a": a,
            "model_b": b,
            "winner": winner,
            "judge": "arena_user_1",
            "turn": 1,
            "anony": True,
            "tstamp": 1690000000.5 + n,
        }
    )
    for n, (a, b, winner) in enumerate([(A, B, "model_a"), (B, C, "model_b"), (A, C, "tie"), (A, B, "tie (bothbad)")])
).encode()
GENAI_CSV = (
    "left_model,right_model,vote_type,prompt,timestamp\n"
    f'{A},{B},leftvote,"a cat, a dog",2024-06-01 10:00:00\n{B},{C},rightvote,"a cat, a dog",2024-06-01 10:00:00\n'
    f'{A},{C},tievote,"a cat, a dog",2024-06-01 10:00:00\n{A},{B},bothbad_vote,"a cat, a dog",2024-06-01 10:00:00\n'
).encode()
OWN = [("left", "right", "outcome", "voter", "time"), *((*row, "v1", "2024-06-01T10:00:00Z") for row in FOUR)]
SEMICOLONS = ("\ufeff" + "\r\n".join(";".join(row) for row in OWN)).encode()
UTF16_TABS = "\r\n".join("\t".join(row) for row in OWN).encode("utf-16")
CAPITALS = (
    "left,right,outcome\n"
    + "\n".join(f"{a},{b},{word}" for (a, b, _), word in zip(FOUR, ["Left", "RIGHT", "Tie", "both bad"], strict=True))
).encode()
SCORES = b'uid,SD,DALLE,Muse\ns0.jpg,"[0.5, 1]","[1, 1]","[0, 0]"\ns1.jpg,"[1, 0.5]","[0.5, 1]",\n'


def votes_of(data: bytes, like: str = "", **mapping: str):
    return files.read(data, files.FileFormat(like=like, mapping=mapping))


@pytest.mark.parametrize(
    ("data", "like"),
    [
        (LMARENA_CSV, "lmarena"),
        (LMARENA_JSONL, "lmarena"),
        (GENAI_CSV, "genai-arena"),
        (SEMICOLONS, ""),
        (UTF16_TABS, ""),
        (CAPITALS, ""),
    ],
    ids=["lmarena.csv", "lmarena.jsonl", "genai-arena.csv", "semicolon_bom.csv", "excel_utf16.csv", "caps.csv"],
)
def test_files_of_other_arenas_are_read_as_they_are(data, like):
    assert [row[1:4] for row in votes_of(data, like)] == FOUR


def test_what_else_a_preset_knows_is_taken_too():
    first = votes_of(LMARENA_JSONL, "lmarena")[0]
    assert (first.voter, first.prompt, first.day.isoformat()) == ("arena_user_1", "q0", "2023-07-22")
    assert votes_of(GENAI_CSV, "genai-arena")[0].prompt == "a cat, a dog"


def test_a_json_array_is_as_good_as_lines():
    assert [row[1:4] for row in votes_of(b' [{"left": "a", "right": "b", "outcome": "left"}]')] == [("a", "b", "left")]
    with pytest.raises(load.BadVotes, match="begins like a JSON array, but is none"):
        votes_of(b'[{"left": "a"')


@pytest.mark.parametrize(
    ("data", "names", "preset"),
    [
        (LMARENA_CSV, "the file has model_a, model_b, winner", "lmarena"),
        (LMARENA_JSONL, "the file has question_id, model_a", "lmarena"),
        (GENAI_CSV, "the file has left_model", "genai-arena"),
        (b"winner,loser\nA,B\n", "the file has winner, loser", "pairs"),
        (SCORES, "the file has uid, sd", "imagenhub"),
        (b"first,second\nA,B\n", "the file has first, second", ""),
    ],
)
def test_without_a_preset_one_sentence_says_what_the_file_has_and_what_would_fit(data, names, preset):
    with pytest.raises(load.BadVotes) as caught:
        votes_of(data)
    assert len(caught.value.problems) == 1
    assert names in str(caught.value)
    assert (f"use --like {preset}" if preset else "--map left=model_a") in str(caught.value)


def test_columns_can_be_named_one_by_one():
    data = b"First;Second;Verdict;When\nA;B;A;01.06.2024 10:00\nA;B;B;1717236000\nA;B;tie;1717236000000\n"
    rows = votes_of(data, left="First", right="second", outcome="verdict", time="When")
    assert [(row.outcome, row.day.isoformat()) for row in rows] == [
        ("left", "2024-06-01"),
        ("right", "2024-06-01"),
        ("tie", "2024-06-01"),
    ]


@pytest.mark.parametrize("time", ["3", "99999999999999999", "nan", "inf", "-1690000000", "06/01/2024"])
def test_a_time_that_could_be_anything_is_refused(time):
    with pytest.raises(load.BadVotes, match="neither ISO 8601"):
        votes_of(f"left,right,outcome,time\nA,B,left,{time}\n".encode())


def test_of_winners_and_losers_the_side_is_unknown_and_said_so(tmp_path, capsys):
    category = make.make_category()
    file = tmp_path / "pairs.csv"
    file.write_text("winner,loser\n" + "sample-halogen,sample-slate\n" * 400)
    call_command("import_votes", str(file), "--category", category.slug, "--source", "Crowd", "--like", "pairs")
    assert "sides were randomised" in capsys.readouterr().out
    assert not VoteFile.objects.get().sides_known
    cells = {(row.left_model.name, row.outcome): row.n for row in Tally.objects.all()}
    assert set(cells) == {("sample-halogen", "left"), ("sample-slate", "right")}  # the winner won, on either side
    assert 140 < cells["sample-halogen", "left"] < 260
    assert votes_of(file.read_bytes(), "pairs") == votes_of(file.read_bytes(), "pairs")


def test_a_table_of_scores_is_a_vote_for_every_two_models():
    assert [(*row[1:4], row.prompt) for row in votes_of(SCORES, "imagenhub")] == [
        ("SD", "DALLE", "right", "s0.jpg"),
        ("SD", "Muse", "left", "s0.jpg"),
        ("DALLE", "Muse", "left", "s0.jpg"),
        ("SD", "DALLE", "tie", "s1.jpg"),  # sqrt(1 × 0.5) twice
    ]
    with pytest.raises(load.BadVotes, match="Line 2: no score like"):
        votes_of(b"uid,A,B\np,good,bad\n", "imagenhub")


def test_a_message_names_twenty_lines_at_most():
    with pytest.raises(load.BadVotes) as caught:
        votes_of(b"left,right,outcome\n" + b"A,B,win\n" * 500)
    assert len(caught.value.problems) == 500
    lines = str(caught.value).split("\n")
    assert len(lines) == 21
    assert lines[-1] == "… and 480 more lines."


def test_an_alias_says_which_model_a_name_means():
    model = make.make_model("flux.2-pro", "FLUX.2 [pro]", origin="catalog")
    ImportedName.objects.create(name="flux2pro-v1", image_model=model)
    load.import_votes(b"left,right,outcome\nflux2pro-v1,Other,left\n", make.make_category(), "Elsewhere")
    assert ImportedVote.objects.get().left_model == model


def test_the_command_takes_a_preset_and_a_mapping(tmp_path, capsys):
    make.make_category()
    file = tmp_path / "votes.csv"
    file.write_bytes(b"one,two,winner\nA,B,model_a\n")
    arguments = ["import_votes", str(file), "--category", "text-to-image", "--source", "x", "--like", "lmarena"]
    with pytest.raises(CommandError, match="the column model_a, model_b is missing"):
        call_command(*arguments)
    with pytest.raises(CommandError, match="--map side=one: write one of left"):
        call_command(*arguments, "--map", "side=one")
    call_command(*arguments, "--map", "left=one", "--map", "right=two")
    assert "1 vote about 2 models imported" in capsys.readouterr().out


# Withdrawn ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def board_of(category):
    """All that a board says, to nine decimals: sums of raw votes end differently in the fourteenth digit with the order
    in which the database returns the rows."""
    ratings.recompute(category, force=True)
    fields = [field.attname for field in Rating._meta.concrete_fields if field.attname not in ("id", "computed_at")]
    rows = Rating.objects.filter(category=category).order_by("image_model").values_list(*fields)
    return [[round(value, 9) if isinstance(value, float) else value for value in row] for row in rows]


def test_a_withdrawn_import_leaves_tallies_and_board_as_if_it_had_never_come(tmp_path, capsys):
    models = [make.make_model(f"bird-{n}") for n in range(3)]
    category = make.make_category()
    for left, right, outcome in [(0, 1, "left"), (1, 2, "tie"), (0, 2, "right"), (2, 1, "both_bad")]:
        prompt = make.make_prompt()
        pair = make.make_entry(prompt, models[left]), make.make_entry(prompt, models[right])
        voting.cast_vote(make.make_battle(left=pair[0], right=pair[1]), outcome)
    today = timezone.now().date()
    old = today - timedelta(days=400)
    load.import_votes(f"left,right,outcome,time\nbird-0,bird-1,right,{old}\n".encode(), category, "Stays")
    before, cells = board_of(category), sorted(pair_counts.counts(category).rows())
    file = tmp_path / "votes.csv"
    file.write_text(
        "left,right,outcome,time\n"
        + f"bird-0,bird-1,left,{today}\nbird-2,bird-1,tie,{old}\nstranger,bird-0,left,{old}\n" * 40
    )
    arguments = ["import_votes", str(file), "--category", category.slug, "--source", "Elsewhere"]
    call_command(*arguments)
    number = re.search(r"as import (\d+)", capsys.readouterr().out).group(1)
    assert board_of(category) != before
    integrity.roll_up(today)  # old days were summed up by month meanwhile
    call_command("withdraw_import", number, "--reason", "made by bots", "--by", "ann")
    assert "120 votes of import" in capsys.readouterr().out
    assert board_of(category) == before
    assert sorted(pair_counts.counts(category).rows()) == cells
    assert pair_counts.differences(category) == {}
    withdrawn = VoteFile.objects.get(pk=number)
    assert (withdrawn.withdrawn_by, withdrawn.withdrawn_reason) == ("ann", "made by bots")
    call_command("withdraw_import", number)
    assert "nothing changed" in capsys.readouterr().out
    call_command(*arguments)  # it may come again, as another import
    assert VoteFile.objects.filter(sha256=withdrawn.sha256).count() == 2
    with pytest.raises(CommandError, match="There is no import 999999"):
        call_command("withdraw_import", "999999")


# The admin ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_curator_imports_after_a_dry_run_and_withdraws_with_a_reason(client):
    user = User.objects.create_user("curator", password="long enough", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["add_votefile", "change_votefile", "view_votefile"])
    )
    client.force_login(user)
    category = make.make_category()
    make.make_model(A)
    url = "/admin/arena/votefile/import/"
    fields = {"category": category.pk, "source": "LMArena", "like": "", "mapping": ""}
    wrong = client.post(url, fields | {"file": SimpleUploadedFile("v.csv", LMARENA_CSV)}).content.decode()
    assert "use --like lmarena" in wrong
    fields |= {"like": "lmarena"}
    page = client.post(url, fields | {"file": SimpleUploadedFile("v.csv", LMARENA_CSV)}).content.decode()
    assert "4 votes about 3 models" in page
    assert f"<strong>{C}, {B}</strong>" in page
    assert not ImportedVote.objects.exists()
    token = page.partition('name="staged" value="')[2].partition('"')[0]
    client.post(url, fields | {"staged": token})
    assert ImportedVote.objects.count() == 4
    file = VoteFile.objects.get()
    chosen = {"action": "withdraw", "_selected_action": [file.pk]}
    assert "say beside the action why" in client.post("/admin/arena/votefile/", chosen, follow=True).content.decode()
    client.post("/admin/arena/votefile/", chosen | {"reason": "bots"})
    file.refresh_from_db()
    assert (file.withdrawn_by, file.withdrawn_reason) == ("curator", "bots")
    assert not ImportedVote.objects.exists()
    assert not Tally.objects.filter(n__gt=0).exists()
    user.user_permissions.set(Permission.objects.filter(codename="view_votefile"))
    assert client.get(url).status_code == 403
    assert client.get("/admin/arena/votefile/").status_code == 200


def test_a_withdrawn_file_says_who_and_why():
    from tests.arena.test_constraints import refuses, update

    file = VoteFile.objects.create(category=make.make_category(), source="x", sha256="a" * 64, rows=1)
    refuses("a withdrawn vote file says who and why", update(file, withdrawn_at=timezone.now()))
    refuses("a withdrawn vote file says who and why", update(file, withdrawn_by="ann"))
    refuses("an alias has a name", lambda: ImportedName.objects.create(name="", image_model=make.make_model()))
