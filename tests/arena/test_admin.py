"""What curators do in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from arena import integrity, voting
from arena.models import Generation, Prompt, Tally, Vote
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(client, simulated):
    client.force_login(User.objects.create_superuser("curator", password="long enough"))
    return client


def ask(competition) -> str:
    return f"/admin/arena/competition/{competition.pk}/ask/"


def test_the_price_stands_before_the_button(curator, settings):
    settings.PROVIDERS = settings.PROVIDERS | {
        "fal": {"name": "fal", "adapter": "fal", "urls": {"queue": "https://queue.example"}, "api_key": "a real key"}
    }
    competition = make.make_prompt().competition
    make.make_prompt(competition)
    make.make_offering(provider="fal", price="0.04")
    make.make_offering(price="7")
    page = curator.get(ask(competition)).content.decode()
    assert "$0.08" in page
    assert "nothing (simulated)" in page
    assert "costs about $0.08" in page
    assert not Generation.objects.exists()


def test_asking_plans_what_is_missing_once_and_shows_its_state(curator):
    prompt = make.make_prompt()
    chosen, other = make.make_offering().image_model, make.make_offering().image_model
    for _ in range(2):
        curator.post(ask(prompt.competition), {"model": [chosen.pk]})
    assert [row.image_model for row in Generation.objects.all()] == [chosen]
    page = curator.get(ask(prompt.competition)).content.decode()
    assert "queued" in page
    assert other.name in page


def test_failed_images_are_asked_again_only_when_told_to(curator):
    row = make.make_generation()
    make.make_offering(row.image_model)
    Generation.objects.update(
        status="failed", started_at=row.created_at, finished_at=row.created_at, outcome="timeout", error="too slow"
    )
    address = ask(row.prompt.competition)
    assert "too slow" in curator.get(address).content.decode()
    curator.post(address, {"model": [row.image_model_id]})
    assert Generation.objects.get().status == "failed"
    curator.post(address, {"model": [row.image_model_id], "again": "on"})
    assert Generation.objects.get().status == "queued"


def test_without_a_key_the_page_says_how_to_get_models(curator, settings):
    settings.PROVIDERS = {}
    page = curator.get(ask(make.make_prompt().competition)).content.decode()
    assert "Set a provider’s key" in page


def test_only_curators_may_ask(client):
    competition = make.make_prompt().competition
    assert client.get(ask(competition)).status_code == 302
    client.force_login(User.objects.create_user("visitor", password="long enough", is_staff=True))
    assert client.post(ask(competition), {"model": []}).status_code == 403


@pytest.mark.parametrize(
    ("upload", "accepted"),
    [
        (make.picture("photo", kind="JPEG"), True),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", False),
        (b"", False),
        (make.picture("tiny", 20, 20), False),
    ],
)
def test_a_source_image_is_cleaned_or_refused_with_the_reason(curator, upload, accepted):
    competition = make.make_competition(make.make_category("image-editing", "edit"))
    file = SimpleUploadedFile("../secret model.jpg", upload, "image/jpeg")
    reply = curator.post(
        "/admin/arena/prompt/add/",
        {"competition": competition.pk, "text": "Make it night", "source_image": file, "tags": "", "position": 0},
    )
    assert (reply.status_code == 302) is accepted
    if accepted:
        stored = Prompt.objects.get().source_image
        assert stored.name.startswith("sources/")
        assert "secret" not in stored.name
        with stored.open() as opened, Image.open(opened) as image:
            assert image.format == "JPEG"
    else:
        assert "errorlist" in reply.content.decode()
        assert not Prompt.objects.exists()


def test_an_editing_prompt_needs_its_source_and_another_takes_none(curator):
    editing = make.make_competition(make.make_category("image-editing", "edit"))
    drawing = make.make_competition()
    photo = SimpleUploadedFile("a.jpg", make.picture("photo", kind="JPEG"), "image/jpeg")
    fields = {"text": "Make it night", "tags": "", "position": 0}
    bare = curator.post("/admin/arena/prompt/add/", fields | {"competition": editing.pk})
    extra = curator.post("/admin/arena/prompt/add/", fields | {"competition": drawing.pk, "source_image": photo})
    assert "needs the image to edit" in bare.content.decode()
    assert "take a source image" in extra.content.decode()


@pytest.mark.parametrize(
    "page",
    [
        "arena/category", "arena/competition", "arena/prompt", "arena/generation", "arena/entry", "arena/battle",
        "arena/vote", "arena/votefile", "providers/imagemodel", "providers/offering", "providers/call", "providers/lab",
        "providers/apikey",
    ],
)  # fmt: skip
def test_every_list_opens(curator, page):
    make.make_battle()
    assert curator.get(f"/admin/{page}/").status_code == 200


def test_a_new_key_is_shown_once(curator):
    shown = curator.post("/admin/providers/apikey/add/", {"name": "a team"}, follow=True).content.decode()
    assert "The key is ia_" in shown
    assert "The key is" not in curator.get("/admin/providers/apikey/").content.decode()


def test_json_that_no_adapter_could_read_is_refused(curator):
    offering = make.make_offering()
    reply = curator.post(
        f"/admin/providers/offering/{offering.pk}/change/",
        {
            "image_model": offering.image_model_id,
            "provider": offering.provider,
            "mode": offering.mode,
            "endpoint": offering.endpoint,
            "parameters": '{"size": 7}',
            "price": "0.01",
            "price_unit": "image",
            "price_details": "{}",
            "prices-TOTAL_FORMS": 0,
            "prices-INITIAL_FORMS": 0,
        },
    )
    assert reply.status_code == 200
    assert "errorlist" in reply.content.decode()


def test_a_curator_stops_counting_votes_for_a_reason_and_counts_them_again(curator):
    voter = make.make_voter()
    battle = make.make_battle(voter)
    voting.cast_vote(battle, "left")
    capped = make.make_battle(make.make_voter())
    voting.cast_vote(capped, "right")
    integrity.exclude([capped.pk], integrity.CAP_REASON, integrity.CAP_RULE)
    page = "/admin/arena/vote/"
    chosen = {"_selected_action": [battle.pk, capped.pk]}
    refused = curator.post(page, {"action": "stop_counting", **chosen}, follow=True).content.decode()
    assert "say beside the action why" in refused
    assert Vote.objects.counted().count() == 1
    curator.post(page, {"action": "stop_counting", "reason": "a bot", **chosen})
    assert Vote.objects.get(battle=battle).excluded_reason == "a bot (curator)"
    assert not Tally.objects.filter(n__gt=0).exists()
    assert "a bot (curator)" in curator.get(f"{page}?q={voter.pk}").content.decode()
    done = curator.post(page, {"action": "count_again", **chosen}, follow=True).content.decode()
    assert "1 votes count again. 1 stay excluded" in done
    assert Tally.objects.get(n__gt=0).n == 1
    curator.force_login(make_viewer())
    curator.post(page, {"action": "stop_counting", "reason": "I say so", **chosen})
    assert Vote.objects.counted().count() == 1


def make_viewer() -> User:
    viewer = User.objects.create_user("viewer", password="long enough", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_vote"))
    return viewer


def test_staff_see_stored_files_by_their_rights(curator, client):
    entry = make.make_entry()
    page = curator.get("/admin/arena/entry/").content.decode()
    assert entry.thumbnail.url in page
    assert curator.get(entry.thumbnail.url)["Content-Type"] == "image/webp"
    assert curator.get(entry.original.url).status_code == 200
    assert curator.get("/admin/arena/entry/files/originals/none.png").status_code == 404
    assert curator.get("/admin/arena/entry/files/elsewhere/a.png").status_code == 403
    client.force_login(make_viewer())
    assert client.get(entry.original.url).status_code == 403
    client.logout()
    assert client.get(entry.original.url).status_code == 302
