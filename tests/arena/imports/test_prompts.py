"""Prompts in bulk: a dry run says what each would become, one transaction adds them, and an export adds nothing."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.imports import archives, tabular
from arena.imports.prompts import files, load, similar
from arena.models import Prompt
from tests import factories as make

pytestmark = pytest.mark.django_db

PLACES = [
    "harbour",
    "market",
    "desert-road",
    "kitchen",
    "forest",
    "train-station",
    "library",
    "glacier",
    "rooftop",
    "vineyard",
    "workshop",
    "reef",
    "canyon",
    "orchard",
]
# As a curator pastes them: near-duplicates, quotes, emoji, right-to-left, commas, a blank line.
FORTY = [
    "A red kite over dunes at noon",
    "a red kite over dunes at noon ",
    "A red kite above dunes at noon",
    "“OPEN” in neon on a wet street, reflection complete",
    "Poster: 'MAGIC BURGER', €6.99 in a starburst",
    "قط أزرق على كرسي أحمر",
    "一只在雨中撑伞的猫，水彩",
    "A cat 🐈 wearing a hat, 3 candles",
    'Cutaway of a lighthouse, labels: "lamp", "stairs", "sea"',
    "",
    *(f"A {place.replace('-', ' ')} at {time}" for place in PLACES for time in ("dawn", "night")),
    "A tram stop at dawn",
    "A harbour at dawn",
]


def csv_of(texts, tags="light, Weather") -> bytes:
    rows = [files.PromptRow(n, text, tuple(tags.split(", "))) for n, text in enumerate(texts)]
    return files.write(rows, {})[0]


def zip_of(members: dict[str, bytes], **options) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def editing():
    return make.make_competition(make.make_category("image-editing", "edit"))


def test_a_dry_run_says_what_every_line_would_become_and_stores_nothing():
    competition = make.make_competition()
    result = load.dry_run(competition, files.read(csv_of(FORTY)))
    assert result.counts() == {"new": 36, "same": 2, "near-same": 1, "refused": 1}
    near, refused = result.with_verdict(load.PromptVerdict.NEAR)[0], result.with_verdict(load.PromptVerdict.REFUSED)[0]
    assert (near.row.line, near.reason) == (4, "like line 2: “A red kite over dunes at noon”")
    assert (refused.row.line, refused.reason) == (11, "It has no text.")
    assert [checked.reason for checked in result.with_verdict(load.PromptVerdict.SAME)] == ["as line 2", "as line 12"]
    assert not Prompt.objects.exists()


def test_what_is_new_is_added_once_and_near_twins_only_when_wanted():
    competition = make.make_competition()
    make.make_prompt(competition, "A first one", position=7)
    load.add(competition, files.read(csv_of(FORTY)))
    assert competition.prompts.count() == 37
    added = competition.prompts.get(text="A red kite over dunes at noon")
    assert (added.tags, added.position) == (["light", "weather"], 8)
    assert load.add(competition, files.read(csv_of(FORTY))).counts()["new"] == 0
    load.add(competition, files.read(csv_of(FORTY)), near_too=True)
    assert competition.prompts.count() == 38


def test_near_twins_are_found_across_the_category_but_not_beyond():
    make.make_prompt(make.make_competition(), "A red kite over dunes at noon")
    other = make.make_competition(make.make_category("other"))
    file = files.pasted("A red kite over dunes at noon!")
    assert load.dry_run(make.make_competition(), file).counts()["near-same"] == 1
    assert load.dry_run(other, file).counts()["new"] == 1


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.text("abc de", max_size=14), min_size=2, max_size=12), st.sampled_from([0.3, 0.7, 1.0]))
def test_near_twins_are_those_of_pg_trgm(texts, threshold):
    pairs = similar.twins(texts, threshold)
    with connection.cursor() as cursor:
        for index, text in enumerate(texts):
            cursor.execute(
                "SELECT coalesce(max(similarity(%s, other)), 0) FROM unnest(%s::text[]) other", [text, texts[:index]]
            )
            best = cursor.fetchone()[0]
            assert (index in pairs) == (best > 0 and best >= threshold - 1e-6)
            if index in pairs:
                mine, theirs = similar.trigrams(text), similar.trigrams(texts[pairs[index]])
                assert len(mine & theirs) / len(mine | theirs) == pytest.approx(best, abs=1e-6)


def test_pasted_lines_and_blocks():
    text = "One\n\nTwo\r\nmore of two\n\n\n  Three  \n"
    assert [row.text for row in files.pasted(text).rows] == ["One", "Two", "more of two", "Three"]
    assert [(row.line, row.text) for row in files.pasted(text, blocks=True).rows] == [
        (1, "One"),
        (3, "Two\nmore of two"),
        (7, "Three"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"text;tags\r\nA kite;Light, weather,\r\n",
        "\ufefftext\ttags\nA kite\tlight, weather\n".encode("utf-16"),
        b'Prompt,Tags\n"A kite","LIGHT,Weather"\n',
        b'{"text": "A kite", "tags": ["Light", "weather", "light"]}\n',
        b'[{"prompt": "A kite", "tags": "light, weather"}]',
    ],
)
def test_files_are_read_as_people_have_them(data):
    row = files.read(data).rows[0]
    assert (row.text, row.tags) == ("A kite", ("light", "weather"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"words,tags\nA,b\n", "the column text is missing; the file has words, tags"),
        (b'{"text": "A"}\n{"text": ', "Line 2: not JSON"),
        (b"\xff\xfe\xff", "UTF-16"),
        (b"text\n\xff\n", "not UTF-8"),
        (zip_of({"a.csv": b"text\nA\n", "b.csv": b"text\nA\n"}), "one file of prompts"),
        (b"PK\x03\x04nonsense", "no ZIP archive"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data, reason):
    with pytest.raises(tabular.BadFile, match=reason):
        files.read(data)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "x" * 10_001}, "10,001 characters"),
        ({"text": "A\0"}, "a character that is none"),
        ({"text": "A", "tags": ["t" * 41]}, "more than 40"),
        ({"text": "A", "credit": "c" * 201}, "more than 200"),
        ({"text": "A", "position": "-1"}, "no number from 0"),
        ({"text": "A", "position": 99_999}, "no number from 0"),
        ({"text": "A", "source_image": "a.png"}, "Only prompts of an image-editing category"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_with_its_reason(row, reason):
    result = load.add(make.make_competition(), files.read(json.dumps([{"text": "Good"}, row]).encode()))
    assert [checked.verdict for checked in result.rows] == ["new", "refused"]
    assert reason in result.rows[1].reason
    assert [prompt.text for prompt in Prompt.objects.all()] == ["Good"]


def test_source_images_come_in_the_archive_and_are_cleaned(editing):
    photo = make.picture("photo", 300, 200)
    archive = zip_of(
        {
            "set/prompts.csv": b"text,source_image,credit\nMake it night,a.png,Ann\nMake it night,b.png,Ben\n"
            b"Make it day,none.png,\nMake it day,bad.png,\nMake it day,,\n",
            "set/a.png": photo,
            "set/b.png": make.picture("other"),
            "set/bad.png": b"<svg/>",
            "__MACOSX/set/._a.png": b"junk",
        }
    )
    result = load.add(editing, files.read(archive))
    assert [checked.verdict for checked in result.rows] == ["new", "new", "refused", "refused", "refused"]
    assert "holds no file “none.png”" in result.rows[2].reason
    assert "“bad.png”: The image cannot be used: it is SVG" in result.rows[3].reason
    assert "needs the image to edit" in result.rows[4].reason
    with editing.prompts.first().source_image.open() as file:
        assert file.read(3) == b"\xff\xd8\xff"
    assert load.dry_run(editing, files.read(archive)).counts()["same"] == 2


def test_the_export_of_edits_holds_their_images_and_imports_to_nothing_new(editing):
    make.make_prompt(editing, "Make it night", source_credit="Ann")  # as the form stores it, its hash not known
    load.add(
        editing, files.read(zip_of({"p.csv": b"text,source_image\nMake it day,a.png\n", "a.png": make.picture("a")}))
    )
    content, kind = load.export(editing)
    assert kind == "zip"
    assert load.dry_run(editing, files.read(content)).counts() == {"new": 0, "same": 2, "near-same": 0, "refused": 0}
    again = make.make_competition(editing.category)
    load.add(again, files.read(content), near_too=True)
    assert load.export(again)[0] != b""
    assert [(p.text, p.source_credit) for p in again.prompts.all()] == [
        (p.text, p.source_credit) for p in editing.prompts.all()
    ]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.one_of(TEXT, TEXT.map(lambda text: f"=1+{text}"), TEXT.map(lambda t: f"'@{t}")),
            st.lists(TEXT, max_size=3),
        ),
        max_size=5,
    )
)
def test_whatever_was_imported_exports_to_nothing_new(rows):
    competition = make.make_competition()
    data = json.dumps([{"text": text, "tags": tags} for text, tags in rows]).encode()
    load.add(competition, files.read(data), near_too=True)
    content, kind = load.export(competition)
    assert kind == "csv"
    result = load.dry_run(competition, files.read(content))
    assert result.counts()["same"] == competition.prompts.count() == len(result.rows)
    exported = {row.text: row.tags for row in files.read(content).rows}
    assert exported == {prompt.text: tuple(prompt.tags) for prompt in competition.prompts.all()}
    for line in content.decode("utf-8-sig").splitlines()[1:]:
        assert line.lstrip('"')[:1] not in ("=", "+", "@") or line.startswith('"\n')


def test_five_thousand_prompts_pass():
    competition = make.make_competition()
    lines = "\n".join(f"A {PLACES[n % 14]} number {n * 7919} in the style of {n * 104729:x}" for n in range(5_000))
    result = load.add(competition, files.pasted(lines), near_too=True)
    assert len(result.rows) == competition.prompts.count() == 5_000
    assert competition.prompts.order_by("-position").first().position == 5_000


# Archives ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["../outside.png", "/etc/passwd", "a/../../b", "c:evil.png", "a\\b.png"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(archives.BadArchive, match="leads elsewhere"):
        archives.read(zip_of({name: b"x"}))


def test_a_bomb_is_refused_before_it_is_unpacked_whole():
    bomb = zip_of({"zeros.png": bytes(200 * 1024 * 1024)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 300_000
    with pytest.raises(archives.BadArchive, match="unpacks to more than 64 MB"):
        archives.read(bomb)
    with pytest.raises(archives.BadArchive, match="times its size"):
        archives.read(zip_of({"zeros.png": bytes(20 * 1024 * 1024)}, compression=zipfile.ZIP_DEFLATED))
