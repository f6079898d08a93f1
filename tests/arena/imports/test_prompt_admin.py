"""Prompts in the admin: pasted or uploaded, seen as a dry run, confirmed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile

from arena.models import Competition, Prompt
from tests import factories as make
from tests.arena.imports.test_prompts import FORTY, csv_of

pytestmark = pytest.mark.django_db


def curator_with(client, *permissions: str):
    user = User.objects.create_user("curator", password="long enough", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def staged_in(page: str) -> str:
    return page.partition('name="staged" value="')[2].partition('"')[0]


def test_a_curator_pastes_sees_the_dry_run_and_confirms(client):
    curator = curator_with(client, "add_prompt", "view_prompt", "change_competition", "view_competition")
    competition = make.make_competition()
    url = f"/admin/arena/prompt/bulk/{competition.pk}/"
    page = curator.post(url, {"text": "\n".join(FORTY)}).content.decode()
    assert "<strong>36 new</strong>" in page
    assert "<strong>1 near-same</strong>" in page
    assert not Prompt.objects.exists()
    token = staged_in(page)
    assert "36 prompts added" in curator.post(url, {"staged": token}, follow=True).content.decode()
    assert competition.prompts.count() == 36
    again = curator.post(url, {"staged": token}, follow=True).content.decode()
    assert "too old, or was added before" in again
    other = make.make_competition()
    page = curator.post(url, {"text": "Another"}).content.decode()
    curator.post(f"/admin/arena/prompt/bulk/{other.pk}/", {"staged": staged_in(page)})
    assert not other.prompts.exists()  # what was shown for one competition is added to no other


def test_a_curator_uploads_a_file_and_gets_it_back(client):
    curator = curator_with(client, "add_prompt", "view_prompt")
    competition = make.make_competition()
    url = f"/admin/arena/prompt/bulk/{competition.pk}/"
    page = curator.post(url, {"file": SimpleUploadedFile("p.csv", csv_of(["=A kite", "A cat"]))}).content.decode()
    curator.post(url, {"staged": staged_in(page)})
    export = curator.get(f"/admin/arena/prompt/export/{competition.pk}/")
    assert "attachment" in export["Content-Disposition"]
    assert "'=A kite" in export.content.decode()
    for wrong in (
        {},
        {"text": "A", "file": SimpleUploadedFile("p.csv", b"text\nA\n")},
        {"file": SimpleUploadedFile("p.csv", b"no\n1\n")},
    ):
        assert "errorlist" in curator.post(url, wrong).content.decode()


def test_only_who_may_add_prompts_adds_them(client):
    competition = make.make_competition()
    viewer = curator_with(client, "view_prompt")
    assert viewer.get(f"/admin/arena/prompt/bulk/{competition.pk}/").status_code == 403
    assert viewer.get(f"/admin/arena/prompt/export/{competition.pk}/").status_code == 200


def test_a_competition_with_any_number_of_prompts_can_be_saved(client):
    client.force_login(User.objects.create_superuser("root", password="long enough"))
    competition = make.make_competition()
    Prompt.objects.bulk_create(Prompt(competition=competition, text=f"Prompt {n}", position=n) for n in range(300))
    fields = {
        "category": competition.category_id,
        "slug": competition.slug,
        "title": "Another title",
        "criterion": competition.criterion,
        "question": competition.question,
        "shape": competition.shape,
        "unveiling": competition.unveiling,
    }
    reply = client.post(f"/admin/arena/competition/{competition.pk}/change/", fields)
    assert reply.status_code == 302
    assert Competition.objects.get().title == "Another title"
    page = client.get(f"/admin/arena/prompt/?competition__id__exact={competition.pk}").content.decode()
    assert "300 prompts" in page
    assert page.count('name="form-') < 1_000


def test_the_next_prompt_keeps_the_competition_and_takes_the_next_position(client):
    client.force_login(User.objects.create_superuser("root", password="long enough"))
    competition = make.make_competition()
    make.make_prompt(competition, position=4)
    fields = {"competition": competition.pk, "text": "A cat", "tags": "Text, text, TEXT,", "position": 5}
    reply = client.post("/admin/arena/prompt/add/", fields | {"_addanother": "1"})
    page = client.get(reply["Location"]).content.decode()
    assert f'<option value="{competition.pk}" selected>' in page
    assert 'name="position" value="6"' in page
    assert Prompt.objects.get(text="A cat").tags == ["text"]
