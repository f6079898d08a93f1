"""An entry's own page and its original: for everybody but a voter who is asked about its prompt."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from PIL import Image

from arena import blinding, generation, images, voting
from arena.battles import skips
from arena.models import Battle, Entry
from tests import factories as make
from tests.providers.transfer.test_metadata import talkative

pytestmark = pytest.mark.django_db


def entry_with(data: bytes, name: str = "a.png"):
    entry = make.make_entry()
    entry.original.save(f"originals/{name}", ContentFile(data))
    return entry


@pytest.fixture
def asked():
    """A voter's open battle on a prompt that three models answered."""
    prompt = make.make_prompt()
    left, right, third = (make.make_entry(prompt, make.make_model(name=name)) for name in ("Ibis", "Jay", "Kite"))
    return make.make_battle(left=left, right=right), third


def test_the_page_says_who_made_it_how_and_what_the_file_says(client):
    entry = entry_with(talkative("PNG"))
    page = client.get(f"/entries/{entry.pk}/").content.decode()
    for text in (entry.image_model.name, entry.prompt.text, "Simulator (OpenAI", "1.0 s", "C2PA: signed provenance"):
        assert text in page
    assert "PNG text “parameters”" in page
    assert "Steps: 20, Model: some-model-9" in page


def test_the_original_comes_byte_for_byte_and_only_as_a_file(client):
    data = talkative("PNG")
    response = client.get(f"/entries/{entry_with(data).pk}/original")
    assert response.getvalue() == data
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("data", [b"<html><script>alert(1)</script>", b'<svg xmlns="http://www.w3.org/2000/svg"/>'])
def test_what_is_no_image_is_never_sent_as_a_page(client, data):
    response = client.get(f"/entries/{entry_with(data, 'a.html').pk}/original")
    assert response.getvalue() == data
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


def test_words_in_a_file_are_text_on_the_page(client):
    exif = Image.Exif()
    exif[0x0131] = "<script>alert(1)</script>"
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", exif=exif)
    page = client.get(f"/entries/{entry_with(out.getvalue()).pk}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_voter_who_is_asked_is_refused_every_entry_of_the_prompt_alike(client, asked):
    battle, third = asked
    make.sign_in(client, battle.voter)
    for kind in ("", "original"):
        answers = [client.get(f"/entries/{entry.pk}/{kind}") for entry in (battle.left, battle.right, third)]
        assert {answer.status_code for answer in answers} == {403}
        assert len({answer.content for answer in answers}) == 1  # nothing says which two are in the battle
    assert "Vote or skip, then come back" in answers[0].content.decode()
    assert not any(name in answers[0].content.decode() for name in ("Ibis", "Jay", "Kite"))
    assert client.get(f"/entries/{make.make_entry().pk}/").status_code == 200
    assert Client().get(f"/entries/{battle.left.pk}/").status_code == 200
    voting.cast_vote(battle, "left")
    assert client.get(f"/entries/{battle.left.pk}/").status_code == 200


def test_a_voter_who_is_asked_meets_no_image_of_the_prompt_beside_a_name(client, asked):
    battle, third = asked
    competition = battle.prompt.competition
    make.make_entry(make.make_prompt(competition), third.image_model)
    addresses = [competition.get_absolute_url()]
    addresses += [entry.image_model.get_absolute_url() for entry in (battle.left, battle.right, third)]

    def shown() -> bytes:
        return b"".join(client.get(address).content for address in addresses)

    files = [entry.thumbnail.name.encode() for entry in (battle.left, battle.right, third)]
    assert all(name in shown() for name in files)
    make.sign_in(client, battle.voter)
    assert not any(name in shown() for name in files)
    assert "stay hidden until you have" in shown().decode()
    assert "Cookie" in client.get(addresses[0])["Vary"]
    skips.skip(battle)
    assert all(name in shown() for name in files)


def test_a_prompt_is_open_as_long_as_its_battle_can_be_answered(asked):
    battle, _ = asked
    voter, prompt = battle.voter, battle.prompt_id
    assert blinding.open_prompts(voter) == {prompt}
    assert blinding.open_prompts(make.make_voter()) == blinding.open_prompts(None) == frozenset()
    old = timezone.now() - timedelta(hours=2)
    Battle.objects.update(served_at=old, expires_at=old + timedelta(hours=1))
    assert blinding.open_prompts(voter) == {prompt}  # expired, but it will be asked again
    type(battle.prompt.competition).objects.update(closes_at=timezone.now())
    assert blinding.open_prompts(voter) == frozenset()


def test_unpublished_unknown_and_retired_entries_are_not_shown(client):
    entry = make.make_entry()
    assert client.get("/entries/999999/").status_code == 404
    entry.prompt.competition.is_published = False
    entry.prompt.competition.save()
    assert client.get(f"/entries/{entry.pk}/").status_code == 404
    entry.prompt.competition.is_published = True
    entry.prompt.competition.save()
    entry.retired_at, entry.retired_reason = timezone.now(), "shows a real person"
    entry.save()
    gone = client.get(f"/entries/{entry.pk}/")
    assert gone.status_code == client.get(f"/entries/{entry.pk}/original").status_code == 410
    assert "shows a real person" in gone.content.decode()
    assert entry.thumbnail.name not in gone.content.decode()


def test_images_of_another_pipeline_are_rebuilt_from_their_originals(client):
    today, older = make.make_entry(), make.make_entry()
    with older.image.open("rb") as file:
        original = file.read()
    older.image.save("battle/older.webp", ContentFile(b"as an older encoder wrote it"))
    type(older).objects.filter(pk=older.pk).update(pipeline="0, libwebp 0.1")
    out = io.StringIO()
    call_command("remake_images", stdout=out)
    assert out.getvalue() == "1 images re-encoded.\n"
    name = today.image.name
    today.refresh_from_db()
    older.refresh_from_db()
    assert today.image.name == name
    with older.image.open("rb") as file:
        assert file.read() == original
    assert older.pipeline == today.pipeline == images.PIPELINE
    assert client.get(f"/images/{older.thumbnail.name}").status_code == 200


def test_a_worker_re_encodes_a_whole_prompt_at_one_moment():
    prompt, competition = make.make_prompt(), make.make_competition()
    entries = [make.make_entry(prompt, make.make_model()) for _ in range(3)]
    lost = make.make_entry(make.make_prompt(competition))
    Entry.everything.update(pipeline="0, libwebp 0.1")
    lost.original.storage.delete(lost.original.name)
    Entry.everything.filter(pk=entries[2].pk).update(pipeline=images.PIPELINE)
    before = [entry.image.name for entry in entries]
    for _ in range(20):  # which prompt is up is random
        generation.re_encode_next()
    for entry in [*entries, lost]:
        entry.refresh_from_db()
    assert [entry.image.name == name for entry, name in zip(entries, before, strict=True)] == [False, False, True]
    assert {entry.pipeline for entry in entries} == {images.PIPELINE}
    assert not any(default_storage.exists(name) for name in before[:2])
    assert lost.pipeline == "0, libwebp 0.1"
    assert default_storage.exists(lost.image.name)


def test_who_re_encodes_second_keeps_what_the_first_has_stored():
    entry = make.make_entry()
    stale = Entry.everything.get(pk=entry.pk)
    generation.re_encode([entry])
    files = set(default_storage.listdir("battle")[1])
    generation.re_encode([stale])
    entry.refresh_from_db()
    assert default_storage.exists(entry.image.name)
    assert set(default_storage.listdir("battle")[1]) == files


def test_a_competition_with_images_keeps_its_shape():
    competition = make.make_entry().prompt.competition
    competition.shape = "16:9"
    with pytest.raises(Exception, match="two shapes would tell them apart"):
        competition.full_clean()
    empty = make.make_competition()
    empty.shape = "16:9"
    empty.full_clean()


def test_a_file_that_is_lost_is_404_at_every_url(client):
    entry = make.make_entry()
    for file in (entry.original, entry.thumbnail):
        file.storage.delete(file.name)
    for url in (f"/entries/{entry.pk}/", f"/entries/{entry.pk}/original", f"/images/{entry.thumbnail.name}"):
        assert client.get(url).status_code == 404, url


def test_a_picture_that_was_taken_away_is_gone_from_every_url(client):
    entry = make.make_entry()
    battle = make.make_battle(left=entry, right=make.make_entry(entry.prompt))
    public = f"/images/{entry.thumbnail.name}"
    shown = client.get(public)
    assert (shown.status_code, shown["Cache-Control"]) == (200, "public, max-age=60")
    assert client.get(public, headers={"If-None-Match": shown["ETag"]}).status_code == 304
    assert client.get(f"/i/{battle.left_token}.webp").status_code == 200
    for column in ("hidden_at", "retired_at"):
        type(entry).objects.filter(pk=entry.pk).update(**{column: timezone.now()})
        assert client.get(public).status_code == 410
        assert client.get(public, headers={"If-None-Match": shown["ETag"]}).status_code == 410
        assert "immutable" not in client.get(public)["Cache-Control"]
        assert client.get(f"/entries/{entry.pk}/").status_code == 410
        assert client.get(f"/entries/{entry.pk}/original").status_code == 410
        for size in ("", ".small"):
            assert client.get(f"/i/{battle.left_token}{size}.webp").status_code == 404
        type(entry).objects.filter(pk=entry.pk).update(**{column: None})
    assert client.get(public).status_code == 200


def test_a_source_image_goes_with_the_last_prompt_that_shows_it(client):
    prompt = make.make_prompt(make.make_competition(make.make_category("image-editing", "edit")))
    public = f"/images/{prompt.source_image.name}"
    assert client.get(public).status_code == 200
    type(prompt).objects.update(retired_at=timezone.now())
    assert client.get(public).status_code == 410
    assert client.get(f"/images/sources/{'0' * 32}.jpg").status_code == 404
