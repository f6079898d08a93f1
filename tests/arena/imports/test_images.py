"""Images made elsewhere: the same pipeline, no call, once each, and every line that is not taken says why."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from arena import generation
from arena.imports import archives, tabular
from arena.imports import images as image_import
from arena.models import Entry, Generation, ImportedName
from providers.models import Call, ImageModel
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db


def zip_of(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


@pytest.fixture
def competition():
    competition = make.make_competition(shape="4:3")
    make.make_prompt(competition, "A red kite")
    make.make_prompt(competition, "A blue cat")
    return competition


ARCHIVE = zip_of(a_png=make.picture("a"), b_jpg=make.picture("b", kind="JPEG"), bad_png=b"<svg/>")


def table(*lines: str) -> bytes:
    return "\n".join(["prompt;model;file", *lines]).encode()


def test_images_are_entries_like_all_others_without_a_call(competition):
    make.make_model("tuned-1")
    ImportedName.objects.create(name="my tune", image_model=make.make_model("tuned-2"))
    lines = table(" a RED  kite;tuned-1;a.png", f"{competition.prompts.last().pk};my tune;b.jpg")
    rows = image_import.import_images(ARCHIVE, lines, competition, "ann")
    assert [row.verdict for row in rows] == ["new", "new"]
    first = Entry.objects.get(image_model__slug="tuned-1")
    assert (first.prompt.text, first.width, first.height) == ("A red kite", 1024, 768)
    assert (first.imported_by, first.call, first.generation.status) == ("ann", None, "succeeded")
    with first.original.open() as file:
        assert file.read() == make.picture("a")
    assert Entry.objects.filter(image_model__slug="tuned-2", prompt__text="A blue cat").exists()
    assert not Call.objects.exists()
    assert Entry.objects.current().count() == 2
    again = image_import.import_images(ARCHIVE, lines, competition, "ben")
    assert [row.verdict for row in again] == ["same", "same"]
    assert Generation.objects.count() == 2


def test_an_image_takes_the_place_of_one_that_was_not_made(competition):
    prompt, model = competition.prompts.first(), make.make_model("tuned-1")
    generation.plan(prompt, [model])
    generation.cancel(Generation.objects.all(), "Called off.")
    image_import.import_images(ARCHIVE, table("A red kite;tuned-1;a.png"), competition, "ann")
    assert Generation.objects.get().status == "succeeded"
    assert generation.plan(prompt, [model]) == 0


def test_every_line_that_is_not_taken_says_why(competition):
    make.make_model("tuned-1")
    make.make_model("tuned-2")
    busy = generation.claim(make.make_generation(competition.prompts.last(), ImageModel.objects.get(slug="tuned-2")).pk)
    assert busy is not None
    rows = image_import.import_images(
        ARCHIVE,
        table(
            "A red kite;tuned-1;a.png",
            "A red kite;tuned-1;b.jpg",
            "A red kite;tuned-2;a.png",
            "A blue cat;tuned-2;b.jpg",
            "A green dog;tuned-1;a.png",
            "A blue cat;tuned-9;a.png",
            "A blue cat;tuned-1;none.png",
            "A blue cat;tuned-1;bad.png",
            ";;",
            "A blue cat;;a.png",
        ),
        competition,
        "ann",
    )
    assert [row.verdict for row in rows] == ["new"] + ["refused"] * 8
    for row, reason in zip(
        rows[1:],
        [
            "An earlier line",
            "answer to the prompt already",
            "being asked for this prompt now",
            "no prompt “A green dog”",
            "No model has the name or slug “tuned-9”",
            "holds no file “none.png”",
            "it is SVG",
            "names no model",
        ],
        strict=True,
    ):
        assert reason in row.reason
    assert Entry.objects.count() == 1


def test_unknown_models_are_created_only_on_request(competition):
    lines = table("A red kite;Our fine-tune v3;a.png", "A blue cat;Our fine-tune v3;b.jpg")
    image_import.import_images(ARCHIVE, lines, competition, "ann", create_models=True, dry_run=True)
    assert not ImageModel.objects.exists()
    image_import.import_images(ARCHIVE, lines, competition, "ann", create_models=True)
    model = ImageModel.objects.get()
    assert (model.name, model.slug, model.origin) == ("Our fine-tune v3", "our-fine-tune-v3", "imported")
    assert model.entries.count() == 2


@pytest.mark.parametrize(
    ("archive", "lines", "reason"),
    [
        (b"no zip", table("A red kite;m;a.png"), "no ZIP archive"),
        (ARCHIVE, b"prompt,file\nA,b\n", "the column model is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(competition, archive, lines, reason):
    with pytest.raises(tabular.BadFile, match=reason):
        image_import.import_images(archive, lines, competition, "ann")
    assert issubclass(archives.BadArchive, tabular.BadFile)


def test_an_imported_entry_has_no_call_but_a_sha256():
    entry = make.make_entry()
    refuses("an imported entry has no call, but a sha256", update(entry, imported_by="ann"))
    refuses("an imported entry has no call, but a sha256", update(entry, original_sha256="a" * 64))


def test_the_command(competition, tmp_path, capsys):
    make.make_model("tuned-1")
    (tmp_path / "i.zip").write_bytes(ARCHIVE)
    (tmp_path / "t.csv").write_bytes(table("A red kite;tuned-1;a.png", "A blue cat;tuned-1;bad.png"))
    arguments = ["import_images", str(tmp_path / "i.zip"), "--csv", str(tmp_path / "t.csv"), "--competition"]
    call_command(*arguments, competition.slug, "--dry-run")
    assert not Entry.objects.exists()
    call_command(*arguments, competition.slug)
    captured = capsys.readouterr()
    assert "2 images: 1 new, 0 same, 1 refused." in captured.out
    assert "Line 3: The image cannot be used: it is SVG" in captured.err
    with pytest.raises(CommandError, match="There is no competition “none”"):
        call_command(*arguments, "none")


def test_the_form(competition, client):
    client.force_login(User.objects.create_superuser("curator", password="long enough"))
    make.make_model("tuned-1")
    url = f"/admin/arena/competition/{competition.pk}/images/"
    upload = {
        "archive": SimpleUploadedFile("i.zip", ARCHIVE),
        "table": SimpleUploadedFile("t.csv", table("A red kite;tuned-1;a.png", "A blue cat;tuned-1;bad.png")),
    }
    page = client.post(url, upload)
    assert "<strong>1 new</strong>" in page.content.decode()
    assert "it is SVG" in page.content.decode()
    assert not Entry.objects.exists()
    client.post(url, {"staged": page.context["staged"]})
    assert Entry.objects.get().imported_by == "curator"
    assert "too old" in client.post(url, {"staged": page.context["staged"]}, follow=True).content.decode()
    assert "too old" in client.post(url, {"staged": "[1, 2]"}, follow=True).content.decode()


def test_pages_say_that_an_image_was_imported_and_know_no_price(client):
    """Wherever it stands beside a name: never as if a provider had made it here."""
    entry = make.make_imported_entry(make.make_prompt(text="A red kite"), make.make_model("brought", origin="catalog"))
    page = client.get(entry.get_absolute_url()).content.decode()
    assert "imported: the image was brought as a file" in page
    assert "<dd>unknown</dd>" in page
    competition = entry.prompt.competition
    for path in (
        competition.get_absolute_url(),
        f"{competition.get_absolute_url()}{entry.prompt_id}/",
        "/models/brought/images/",
    ):
        page = client.get(path).content.decode()
        assert page.count("imported image</span>") == page.count(f"/images/{entry.thumbnail.name}") == 1, path
