"""Who changed what: a row of history for every change of a curated object, whatever page or action made it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from arena import voting
from arena.admin import shared
from arena.models import Category, Competition, Entry, Prompt, Suggestion, Vote
from arena.models.history import TRACKED
from providers.models import ApiKey, ImageModel
from tests import factories as make
from tests.arena.test_admin import ask_for

pytestmark = pytest.mark.django_db


def last(row):
    """(user, reason, kind) of the newest row of its history."""
    newest = type(row).history.filter(id=row.pk).first()
    return str(newest.history_user), newest.history_change_reason, newest.history_type


def history_page(client, row):
    """The words of the object's history page, newest change first."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(url).content.decode()))


def test_facts_and_what_workers_write_have_no_history():
    """Voting must stay quick: no row of history can come from it."""
    assert not {Vote, Entry} & set(TRACKED)
    battle = make.make_battle()
    before = {model: model.history.count() for model in TRACKED}
    voting.cast_vote(battle, "left")
    assert {model: model.history.count() for model in TRACKED} == before


def test_a_form_writes_who_and_what_changed(curator):
    competition = make.make_competition(title="Old title")
    page = f"/admin/arena/competition/{competition.pk}/change/"
    form = curator.get(page).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None} | {"title": "New title"}
    data.pop("is_published")
    assert curator.post(page, data).status_code == 302
    assert last(competition)[0] == "curator"
    assert "Title : Old title → New title" in history_page(curator, competition)


def test_every_list_of_curated_objects_has_its_history_page_and_no_way_to_bring_old_states_back(curator):
    rows = [make.make_prompt(), make.make_model(), make.make_offering(), ApiKey.make("key")[0]]
    rows += [rows[0].competition, rows[0].competition.category, rows[1].lab]
    for row in rows:
        assert "the system" in history_page(curator, row), row
        old = type(row).history.filter(id=row.pk).first().pk
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])
        assert curator.get(f"{url}{old}/").status_code in (302, 404)


def test_the_secrets_of_keys_are_in_no_history():
    columns = {field.name for field in ApiKey.history.model._meta.fields}
    assert not {"digest", "previous_digest"} & columns
    assert "monthly_budget" in columns


@pytest.mark.parametrize(
    ("url", "row"),
    [
        ("/admin/arena/prompt/", make.make_prompt),
        ("/admin/providers/imagemodel/", make.make_model),
    ],
)
def test_actions_on_many_write_into_the_history_of_each(curator, url, row):
    rows = [row() for _ in range(3)]
    chosen = [str(row.pk) for row in rows[:2]]
    curator.post(url, {"action": "retire", "_selected_action": chosen})
    assert [last(row) for row in rows[:2]] == [("curator", "Retired.", "~")] * 2
    assert type(rows[0]).history.filter(id=rows[0].pk).first().retired_at is not None
    assert last(rows[2])[0] == "None"
    curator.post(url, {"action": "bring_back", "_selected_action": [str(row.pk) for row in rows]})
    assert last(rows[0]) == ("curator", "Brought back.", "~")
    assert last(rows[2])[0] == "None", "it was never away"


def test_keys_say_who_made_and_who_revoked_them(curator):
    curator.post("/api/keys/", {"name": "mine", "response_format": ""})
    key = ApiKey.objects.get(name="mine")
    assert last(key)[0] == "curator"
    curator.post(f"/api/keys/{key.pk}/revoke/")
    assert last(key) == ("curator", "Revoked.", "~")


def test_asking_says_how_many_images_and_what_they_cost(curator, real_prices):
    prompt = make.make_prompt()
    model = make.make_offering(provider="fal", price=Decimal("0.04")).image_model
    ask_for(curator, prompt.competition, model=[model.pk])
    assert last(prompt.competition) == (
        "curator", "Asked the models: 1 image of 1 model queued, for about $0.04.", "~",
    )  # fmt: skip
    page = f"/admin/arena/competition/{prompt.competition.pk}/ask/"
    curator.post(page, {"action": "pause"})
    assert last(prompt.competition)[1] == "Paused."
    assert "curator Paused." in history_page(curator, prompt.competition)
    curator.post(page, {"action": "cancel"})
    assert last(prompt.competition)[1] == "Cancelled 1 image."


def test_prompts_added_in_bulk_have_a_history_of_their_own(curator):
    competition = make.make_competition()
    page = curator.post(f"/admin/arena/prompt/bulk/{competition.pk}/", {"text": "A red kite\nTwo owls"})
    token = page.context["staged"]
    curator.post(f"/admin/arena/prompt/bulk/{competition.pk}/", {"staged": token})
    assert {last(prompt) for prompt in Prompt.objects.all()} == {("curator", "Added in bulk.", "+")}
    assert last(competition)[1] == "Added 2 prompts in bulk."


def test_a_decided_suggestion_and_its_prompt_say_who_took_it(curator):
    competition = make.make_competition()
    rows = [
        Suggestion.objects.create(text=text, mode="text-to-image", trials=f"{number:032x}")
        for number, text in enumerate(["A cat in rain", "Spam"])
    ]
    chosen = {"_selected_action": [rows[0].pk], "competition": str(competition.pk)}
    curator.post("/admin/arena/suggestion/", {"action": "accept", **chosen})
    assert last(rows[0])[:2] == ("curator", f"Accepted into {competition}.")
    assert last(Prompt.objects.get())[0] == "curator"
    curator.post("/admin/arena/suggestion/", {"action": "decline", "_selected_action": [rows[1].pk], "reason": "spam"})
    assert last(rows[1])[:2] == ("curator", "Declined: spam")


def test_what_was_excluded_is_in_the_log_of_the_votes_and_of_the_images(curator):
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    vote = {"_selected_action": [str(battle.pk)], "reason": "a bot"}
    curator.post("/admin/arena/vote/", {"action": "stop_counting", **vote})
    curator.post("/admin/arena/entry/", {"action": "retire", "_selected_action": [battle.left_id]})
    messages = {(str(row.user), row.object_id, row.change_message) for row in LogEntry.objects.all()}
    assert ("curator", str(battle.pk), "Stopped counting: a bot") in messages
    assert ("curator", str(battle.left_id), "Retired.") in messages


@pytest.mark.parametrize(
    ("url", "model", "row"),
    [
        ("/admin/arena/prompt/", Prompt, make.make_prompt),
        ("/admin/arena/entry/", Entry, make.make_entry),
    ],
)
def test_to_retire_many_at_once_is_confirmed(curator, monkeypatch, url, model, row):
    monkeypatch.setattr(shared, "MANY", 1)
    rows = [row(), row()]
    chosen = {"action": "retire", "_selected_action": [str(row.pk) for row in rows]}
    page = curator.post(url, chosen).content.decode()
    assert re.search(r"\b2 (prompts|images)\b", page)
    assert not model.objects.exclude(retired_at=None).exists()
    curator.post(url, chosen | {"confirmed": "on"})
    assert model.objects.exclude(retired_at=None).count() == 2


def test_a_deleted_alias_leaves_who_deleted_it(curator):
    from arena.models import ImportedName

    alias = ImportedName.objects.create(name="Midjourney 5", image_model=make.make_model())
    curator.post("/admin/arena/importedname/", {
        "action": "delete_selected", "_selected_action": [alias.pk], "post": "yes",
    })  # fmt: skip
    newest = ImportedName.history.first()
    assert (newest.history_type, str(newest.history_user)) == ("-", "curator")


def test_without_a_request_a_change_is_the_systems():
    category = make.make_category()
    Category.objects.get(pk=category.pk).save()
    assert last(category)[0] == "None"
    assert Competition.history.count() == ImageModel.history.count() == 0
    assert timezone.now() > Category.history.first().history_date
