"""Sharing a pair and a round: who may, what a visitor sees before and after answering, and what is counted."""

from __future__ import annotations

import io
import re

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from arena import battles, voting
from arena.battles import skips
from arena.models import Entry, SharedAnswer, Vote
from tests import factories as make

pytestmark = pytest.mark.django_db

NAMES = ("Kestrel Nine", "Osprey Ultra", "sample-kestrel", "sample-osprey")


@pytest.fixture
def battle(client):
    """An answered battle of the client's voter, who chose A."""
    prompt = make.make_prompt()
    left = make.make_entry(prompt, make.make_model("sample-kestrel", "Kestrel Nine"))
    battle = make.make_battle(
        left=left, right=make.make_entry(prompt, make.make_model("sample-osprey", "Osprey Ultra"))
    )
    voting.cast_vote(battle, "left")
    make.sign_in(client, battle.voter)
    return battle


def shown(text: str) -> list[str]:
    return [name for name in NAMES if name in text]


def test_a_visitor_answers_blind_then_sees_names_and_the_choice_of_who_shared(client, battle):
    link = client.post(f"/battles/{battle.pk}/share/")["Location"]
    visitor = Client()
    first = visitor.get(link, follow=True)
    url, text = first.redirect_chain[0][0], first.content.decode()
    assert shown(text) == []
    assert battle.left_token not in text
    card = re.search(r'og:image"\s+content="http://testserver(/shared/[^"]+/card\.jpg)"', text)[1]
    with Image.open(io.BytesIO(visitor.get(card).content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1200, 630))
    images = re.findall(r'(?:src|href)="(/shared/[^"]+\.webp)"', text)
    assert len(set(images)) == 4
    for image in images:
        reply = visitor.get(image)
        assert reply.status_code == 200
        assert not {"ETag", "Last-Modified", "Content-Disposition"} & set(reply.headers)
    assert visitor.post(url, {"outcome": "middle"}).status_code == 400
    answered = visitor.post(url, {"outcome": "right"}, follow=True).content.decode()
    assert set(shown(answered)) == set(NAMES)
    assert "Who shared this chose A." in answered
    visitor.post(url, {"outcome": "left"})  # the first answer counts
    counted = SharedAnswer.objects.get()
    assert (counted.outcome, counted.n) == ("right", 1)
    Client().post(url, {"outcome": "right"})
    assert SharedAnswer.objects.get().n == 2
    assert Vote.objects.count() == 1
    assert shown(Client().get(url).content.decode()) == []  # everybody starts blind


def test_each_link_says_its_own_url_also_while_the_page_of_another_is_cached(client, battle):
    other = make.make_battle(battle.voter)
    voting.cast_vote(other, "left")
    for answered in (battle, other):
        page = Client().get(client.post(f"/battles/{answered.pk}/share/")["Location"], follow=True)
        url = re.search(r'og:url"\s+content="([^"]+)"', page.content.decode())[1]
        assert url == f"http://testserver{page.redirect_chain[0][0]}"


def test_only_an_answered_pair_of_ones_own_is_shared_and_its_voter_sees_the_own_answer(client, battle):
    other = Client()
    make.sign_in(other, make.make_voter())
    assert other.post(f"/battles/{battle.pk}/share/").status_code == 404
    open_one = make.make_battle(battle.voter, battle.left, make.make_entry(battle.prompt))
    assert client.post(f"/battles/{open_one.pk}/share/").status_code == 404
    reply = client.post(f"/battles/{battle.pk}/share/", headers={"Accept": "application/json"})
    link = reply.json()["url"].removeprefix("http://testserver")
    assert client.get(link, follow=True).status_code == 403  # another pair of the prompt waits for their answer
    skips.skip(open_one)
    assert "your pick" in client.get(link, follow=True).content.decode()
    assert other.get("/shared/AAAAAAAAAAAAAAAAAAAAAA/").status_code == 404


def test_who_is_asked_about_the_prompt_themselves_does_not_see_the_names_by_a_link(client, battle):
    link = client.post(f"/battles/{battle.pk}/share/")["Location"]
    visitor = Client()
    asked = make.make_battle(left=battle.left, right=make.make_entry(battle.prompt))
    make.sign_in(visitor, asked.voter)
    reply = visitor.get(link, follow=True)
    assert reply.status_code == 403
    assert shown(reply.content.decode()) == []


def test_an_image_that_is_taken_away_leaves_the_card_at_once(client, battle):
    link = client.post(f"/battles/{battle.pk}/share/")["Location"]
    cards = [Client().get(f"{link}card.jpg")]
    for entry in (battle.left, battle.right):
        Entry.everything.filter(pk=entry.pk).update(hidden_at=timezone.now())
        cards.append(Client().get(f"{link}card.jpg"))
    assert len({card.content for card in cards}) == 3
    assert {card["Cache-Control"] for card in cards} == {"public, max-age=60"}  # nor do proxies show it for longer


def test_a_round_is_shared_as_its_pairs_in_their_order(client):
    competition, voter = make.make_competition(), make.make_voter()
    models = [make.make_model() for _ in range(2)]
    for _ in range(5):
        prompt = make.make_prompt(competition)
        for model in models:
            make.make_entry(prompt, model)
    for _ in range(5):
        voting.cast_vote(battles.serve(voter, competition.category), "left")
    make.sign_in(client, voter)
    card = client.get("/arena/text-to-image/rounds/1/")
    assert card.status_code == 200
    assert client.get("/arena/text-to-image/rounds/2/").status_code == 404
    assert Client().get("/arena/text-to-image/rounds/1/").status_code == 404
    link = client.post("/arena/text-to-image/rounds/1/share/")["Location"]
    visitor = Client()
    for number in range(1, 6):
        page = visitor.get(link, follow=True)
        url = page.redirect_chain[0][0]
        assert url == f"{link}{number}/"
        assert f"{number} of 5" in page.content.decode()
        if number < 5:
            assert visitor.get(f"{link}{number + 1}/").status_code == 404  # one after the other
        visitor.post(url, {"outcome": "tie"})
    assert "Vote yourself" in visitor.get(f"{link}5/").content.decode()
    assert SharedAnswer.objects.count() == 5


def test_a_pair_whose_image_was_taken_away_is_not_shown_by_its_link(client, battle):
    link = client.post(f"/battles/{battle.pk}/share/")["Location"]
    type(battle.left).objects.filter(pk=battle.left_id).update(hidden_at=battle.served_at)
    visitor = Client()
    assert visitor.get(link, follow=True).status_code == 410
    assert visitor.get(f"{link}1/left.webp").status_code == 404
