"""What curators do in the admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from arena import generation, integrity, voting
from arena.admin import shared
from arena.integrity import caps, rules
from arena.models import Generation, Prompt, Tally, Vote
from tests import factories as make

pytestmark = pytest.mark.django_db


def ask(competition) -> str:
    return f"/admin/arena/competition/{competition.pk}/ask/"


def ask_for(curator, competition, **fields):
    """Review, then confirm what the page says; returns the page that follows."""
    url = ask(competition)
    review = curator.post(url, {"action": "review", **fields}, follow=True)
    confirmed = review.content.decode().partition('name="confirmed" value="')[2].partition('"')[0]
    if not confirmed:
        return review.content.decode()
    return curator.post(url, {"action": "ask", "confirmed": confirmed, **fields}, follow=True).content.decode()


def test_the_price_stands_before_the_button_and_nothing_is_ticked(curator, real_prices):
    competition = make.make_prompt().competition
    make.make_prompt(competition)
    make.make_offering(provider="fal", price="0.04")
    make.make_offering(price="7")
    page = curator.get(ask(competition)).content.decode()
    assert "$0.04" in page
    assert "$0.08" in page
    assert "nothing (simulated)" in page
    assert "All that is missing: 4 images of 2 models cost about $0.08." in page
    assert " checked" not in page
    assert not Generation.objects.exists()


def test_the_total_follows_the_ticks_and_the_sum_is_confirmed(curator, real_prices):
    competition = make.make_prompt().competition
    make.make_prompt(competition)
    one, other = (make.make_offering(provider="fal", price=price).image_model for price in ("0.04", "1.00"))
    total = curator.get(f"{ask(competition)}total/", {"model": [one.pk, other.pk]}).content.decode()
    assert "4 images of 2 models cost about $2.08." in total
    review = curator.post(ask(competition), {"action": "review", "model": [one.pk]}).content.decode()
    assert "Ask for 2 images, about $0.08" in review
    assert not Generation.objects.exists()
    make.make_prompt(competition)  # meanwhile a prompt was added: what was confirmed is not what would be bought
    confirmed = review.partition('name="confirmed" value="')[2].partition('"')[0]
    again = curator.post(ask(competition), {"action": "ask", "model": [one.pk], "confirmed": confirmed})
    assert "Ask for 3 images, about $0.12" in again.content.decode()
    assert not Generation.objects.exists()


def test_asking_plans_what_is_missing_once_and_shows_its_state(curator):
    prompt = make.make_prompt()
    chosen, other = make.make_offering().image_model, make.make_offering().image_model
    assert "1 image of 1 model queued" in ask_for(curator, prompt.competition, model=[chosen.pk])
    assert "Nothing is missing" in ask_for(curator, prompt.competition, model=[chosen.pk])
    assert [row.image_model for row in Generation.objects.all()] == [chosen]
    page = curator.get(ask(prompt.competition)).content.decode()
    assert "0 of 1 images" in page
    assert other.name in page
    assert LogEntry.objects.filter(change_message__startswith="Asked the models: 1 image").exists()


def test_failed_images_are_asked_again_only_on_request_and_by_their_kind(curator):
    prompt = make.make_prompt()
    models = [make.make_offering().image_model for _ in range(2)]
    generation.plan(prompt, models)
    generation.plan(make.make_prompt(prompt.competition), models)
    rows = list(Generation.objects.order_by("pk"))
    for row, outcome in zip(rows, ["timeout", "content_policy", "provider_error", "timeout"], strict=True):
        generation.claim(row.pk)
        Generation.objects.filter(pk=row.pk).to_failed(outcome, f"It was a {outcome}.")
    page = curator.get(ask(prompt.competition)).content.decode()
    assert "timeout 1" in page
    assert "provider_error 1" in page
    assert "content_policy 1" not in page  # an answer, and counted as refused
    curator.post(ask(prompt.competition), {"action": "retry", "model": models[0].pk, "outcome": "timeout"})
    assert [row.status for row in Generation.objects.order_by("pk")] == ["queued", "failed", "failed", "failed"]
    ask_for(curator, prompt.competition, model=[models[1].pk])
    assert Generation.objects.filter(status="queued").count() == 1
    ask_for(curator, prompt.competition, model=[models[1].pk], again="on")
    assert [row.status for row in Generation.objects.order_by("pk")] == ["queued", "queued", "failed", "queued"]


def test_work_is_paused_resumed_and_cancelled_by_one_click_each(curator):
    prompt = make.make_prompt()
    models = [make.make_offering().image_model for _ in range(2)]
    generation.plan(prompt, models)
    url = ask(prompt.competition)
    assert "– paused" in curator.post(url, {"action": "pause"}, follow=True).content.decode()
    assert generation.take_due() == []
    curator.post(url, {"action": "resume"})
    assert len(generation.take_due()) == 2
    curator.post(url, {"action": "cancel", "model": models[0].pk})
    assert Generation.objects.get(image_model=models[0]).error == "Cancelled by curator."
    curator.post(url, {"action": "cancel"})
    assert set(Generation.objects.values_list("status", flat=True)) == {"cancelled"}
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        "Paused.",
        "Resumed.",
        "Cancelled 1 image.",
        "Cancelled 1 image.",
    ]
    assert "1 image of 1 model queued" in ask_for(curator, prompt.competition, model=[models[0].pk])


@pytest.mark.parametrize("fragment", ["", "progress/", "total/"])
def test_the_page_asks_few_queries_whatever_its_size(curator, django_assert_max_num_queries, fragment):
    competition = make.make_competition()
    for number in range(40):
        make.make_prompt(competition, position=number)
    models = [make.make_offering().image_model for _ in range(25)]
    generation.plan_all(competition, models)
    assert Generation.objects.count() == 1_000
    assert generation.plan_all(competition, models) == 0
    with django_assert_max_num_queries(20):
        page = curator.get(ask(competition) + fragment).content
    assert len(page) < 120_000


def test_the_progress_refreshes_itself_only_while_something_moves(curator):
    prompt = make.make_prompt()
    model = make.make_offering().image_model
    generation.plan(prompt, [model])
    url = f"{ask(prompt.competition)}progress/"
    moving = curator.get(url).content.decode()
    assert f'hx-get="{url}"' in moving
    assert "<html" not in moving
    make.make_entry(prompt, model)
    still = curator.get(url).content.decode()
    assert "hx-get" not in still
    assert "1 of 1 images" in still


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
    integrity.exclude([capped.pk], caps.reason(50), rules.CAP.name)
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


def test_to_exclude_many_votes_at_once_is_confirmed(curator, monkeypatch):
    monkeypatch.setattr(shared, "MANY", 1)
    chosen = []
    for _ in range(2):
        battle = make.make_battle()
        voting.cast_vote(battle, "left")
        chosen.append(str(battle.pk))
    fields = {"action": "stop_counting", "reason": "a bot", "_selected_action": chosen[:1], "select_across": "1"}
    page = curator.post("/admin/arena/vote/?outcome__exact=left", fields).content.decode()
    assert "2 votes of 2 voters" in page
    assert Vote.objects.counted().count() == 2
    curator.post("/admin/arena/vote/?outcome__exact=left", fields | {"confirmed": "on"})
    assert Vote.objects.counted().count() == 0


def test_a_provider_is_chosen_from_those_that_are_known_and_modes_are_ticked(curator, real_prices):
    offering = make.make_offering()
    page = curator.get(f"/admin/providers/offering/{offering.pk}/change/").content.decode()
    assert f'<option value="{offering.provider}" selected>' in page
    assert '<option value="fal">' in page
    fields = {
        "image_model": offering.image_model_id, "provider": "fall", "mode": offering.mode, "endpoint": "e",
        "parameters": "{}", "price_unit": "image", "price_details": "{}",
        "prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert (
        "fall is not one of the available choices"
        in curator.post("/admin/providers/offering/add/", fields).content.decode()
    )
    page = curator.get(f"/admin/providers/imagemodel/{offering.image_model_id}/change/").content.decode()
    assert 'type="checkbox" name="modes" value="edit"' in page


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
