"""What staff see of a competition before the public does, and that looking leaves no trace."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from arena.models import Battle, Vote, Voter, VoterProgress
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(client):
    user = User.objects.create_user("curator", is_staff=True)
    user.groups.add(Group.objects.get(name="Curator"))
    client.force_login(user)
    return client


@pytest.fixture(params=["draft", "announced"])
def competition(request):
    fields = {"is_published": False} if request.param == "draft" else {"opens_at": timezone.now() + timedelta(days=3)}
    competition = make.make_competition(slug="soon", title="Soon to open", **fields)
    prompt = make.make_prompt(competition, "A red kite over the sea")
    for name in ("Zyx One", "Zyx Two"):
        make.make_entry(prompt, make.make_model(name=name))
    return competition


def rows() -> list[int]:
    return [model.objects.count() for model in (Battle, Vote, Voter, VoterProgress)]


def test_the_page_is_previewed_as_it_is_until_it_opens_and_as_it_will_be(curator, competition, client):
    page = curator.get("/competitions/soon/preview/")
    text = page.content.decode()
    assert "Soon to open" in text
    assert "Preview, for staff" in text
    assert not re.search(r"Zyx|/images/public/|red kite", text)
    assert "noindex" in page["X-Robots-Tag"]
    opened = curator.get("/competitions/soon/preview/?as=open").content.decode()
    assert all(word in opened for word in ("Zyx One", "/images/public/", "red kite"))
    client.logout()
    for path in ("/competitions/soon/preview/", "/competitions/soon/preview/?as=open"):
        assert client.get(path).status_code == 404
    plain = User.objects.create_user("plain", is_staff=True)
    client.force_login(plain)
    assert client.get("/competitions/soon/preview/").status_code == 404


def test_the_voting_screen_is_previewed_blind_and_stores_nothing(curator, competition):
    url, before = f"/admin/arena/competition/{competition.pk}/preview/", rows()
    text = curator.get(url).content.decode()
    assert "no answer is stored" in text
    assert "A red kite over the sea" in text
    assert "Zyx" not in text
    images = set(re.findall(r"/admin/arena/entry/files/battle/[\w.]+", text))
    assert len(images) >= 2
    assert all(curator.get(image).status_code == 200 for image in images)
    form = re.search(r'<form class="votes"[^>]*action="([^"]+)"', text)
    assert form is not None
    assert curator.post(form[1], {"outcome": "left"})["Location"] == url
    assert curator.get(url).status_code == 200
    assert rows() == before == [0, 0, 0, 0]


def test_without_a_pair_the_preview_says_so(curator):
    competition = make.make_prompt(make.make_competition(is_published=False)).competition
    page = curator.get(f"/admin/arena/competition/{competition.pk}/preview/", follow=True).content.decode()
    assert "No prompt has images of two models yet" in page


def test_the_admin_leads_to_the_preview_until_the_page_is_public(curator):
    draft, opened = make.make_competition(slug="draft", is_published=False), make.make_competition(slug="open")
    for competition, path in ((draft, "/competitions/draft/preview/"), (opened, "/competitions/open/")):
        page = curator.get(f"/admin/arena/competition/{competition.pk}/change/").content.decode()
        assert re.search(rf'href="{path}"[^>]*class="viewsitelink"', page), path
