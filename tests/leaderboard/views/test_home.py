"""The start page: a pair without names, whose vote counts once."""

from __future__ import annotations

import re

import pytest

from arena import battles, integrity
from arena.integrity import rules
from arena.models import Battle, Vote, Voter
from tests import factories as make
from tests.leaderboard.pages import text_of

pytestmark = pytest.mark.django_db


def ballot_of(page):
    (ballot,) = re.findall(r'name="ballot" value="([^"]+)"', page)
    return ballot


def test_the_start_page_shows_a_pair_without_a_name_or_a_row_and_its_vote_counts_once(client, site):
    integrity.exclude([Vote.objects.earliest("pk").pk], rules.FAST.reason, rules.FAST.name)
    site.count()
    page = text_of(client.get("/"))
    counters = " ".join(re.sub(r"<[^>]+>", " ", page[page.index('class="counters"') :]).split())
    assert f"11 votes counted {site.category.board.voters} voters in" in counters
    before = Battle.objects.count(), Voter.objects.count()
    hero = page[page.index('class="hero"') : page.index('class="front"')]
    images = re.findall(r'src="(/i/[^"]+)"', hero)
    assert len(images) == 2
    assert len({len(image) for image in images}) == 1
    for model in site.models:
        assert model.slug not in hero
        assert model.name not in hero
    headers = [sorted(client.get(image).headers) for image in images]
    assert headers[0] == headers[1]
    assert (Battle.objects.count(), Voter.objects.count()) == before
    for _ in range(2):  # the second press of the button changes nothing
        response = client.post("/vote/", {"ballot": ballot_of(page), "outcome": "left"})
        assert response.status_code == 302
    assert Vote.objects.count() == 13
    assert any(model.name in text_of(client.get(response["Location"])) for model in site.models)


def test_a_ballot_that_was_changed_used_or_expired_is_refused(client, site, settings):
    ballot = ballot_of(text_of(client.get("/")))
    votes = Vote.objects.count()
    assert client.post("/vote/", {"ballot": ballot[:-9] + "AAAAAAAA=", "outcome": "left"}).status_code == 410
    assert client.post("/vote/", {"ballot": ballot, "outcome": "best"}).status_code == 400
    settings.BATTLE_LIFETIME = -1
    assert client.post("/vote/", {"ballot": ballot, "outcome": "left"}).status_code == 410
    assert Vote.objects.count() == votes


def test_a_used_ballot_is_no_use_to_another_browser(client, site):
    ballot = ballot_of(text_of(client.get("/")))
    client.post("/vote/", {"ballot": ballot, "outcome": "left"})
    client.cookies.clear()
    assert client.post("/vote/", {"ballot": ballot, "outcome": "right"}).status_code == 410


def test_a_voters_start_page_shows_the_battle_they_owe(client, site):
    voter = make.make_voter()
    make.sign_in(client, voter)
    battle = battles.serve(voter, site.category)
    assert battle is not None
    page = text_of(client.get("/"))
    assert f"/battles/{battle.pk}/vote/" in page
    assert battle.left_token in page
