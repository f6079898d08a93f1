"""What a voter sees of their own votes, and what others see of it."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from PIL import Image

from arena import battles, voting
from arena.battle_page import reveal as battle_reveal
from arena.battles import voter_state
from arena.models import Battle, Vote
from leaderboard.board import ratings
from leaderboard.models import SharedRanking
from leaderboard.voter import crowd, reveal
from providers.cache import clear_process_caches
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def voted(client):
    """A voter with 20 votes on three models who always prefers Kestrel; the client is theirs."""
    competition, voter = make.make_competition(title="Birds of prey"), make.make_voter()
    models = [make.make_model(f"sample-{name}", name.title()) for name in ("kestrel", "merlin", "osprey")]
    for _ in range(7):
        prompt = make.make_prompt(competition)
        for model in models:
            make.make_entry(prompt, model)
    for _ in range(20):
        battle = battles.serve(voter, competition.category)
        names = [battle.left.image_model.name, battle.right.image_model.name]
        voting.cast_vote(battle, {"Kestrel": "left"}.get(names[0], "right" if names[1] == "Kestrel" else "tie"))
    make.sign_in(client, voter)
    return voter


def test_the_ranking_begins_with_twenty_votes(client, voted):
    vote = Vote.objects.first()
    Vote.objects.filter(pk=vote.pk).delete()
    Battle.objects.filter(pk=vote.battle_id).update(skipped_at=timezone.now())  # which is no vote
    voter_state.rebuild_progress(voted.pk, vote.category_id)
    page = client.get("/arena/text-to-image/mine/").content.decode()
    assert "1 vote to your own ranking" in page
    assert "Birds of prey" in page
    assert "Kestrel" not in page
    assert client.post("/arena/text-to-image/mine/share/").status_code == 404
    assert "20 votes to your own ranking" in Client().get("/arena/text-to-image/mine/").content.decode()


def test_the_ranking_puts_what_one_prefers_first_beside_the_public_rating(client, voted):
    ratings.recompute_moved()
    page = client.get("/arena/text-to-image/mine/").content.decode()
    assert page.index("Kestrel") < page.index("Merlin")
    assert page.index("Kestrel") < page.index("Osprey")
    assert "20 of 21 pairs" in " ".join(page.split())
    shown = dict(re.findall(r"<tr.*?>(Kestrel|Merlin|Osprey)</a>.*?col-record\">(.*?)</td>", page, re.S))
    assert shown == {name: " – ".join(map(str, record_of(name))) for name in ("Kestrel", "Merlin", "Osprey")}


def record_of(name):
    """What the votes say of a model: won, tied, lost."""
    own = Vote.objects.filter(Q(left_model__name=name) | Q(right_model__name=name))
    won = Q(left_model__name=name, outcome="left") | Q(right_model__name=name, outcome="right")
    return own.filter(won).count(), own.filter(outcome="tie").count(), own.exclude(won).exclude(outcome="tie").count()


def test_a_shared_ranking_shows_the_votes_until_then_to_anybody_and_dies_when_withdrawn(client, voted):
    Vote.objects.update(cast_at=timezone.now() - timedelta(minutes=1))  # in a test's transaction, now() stands still
    address = client.post("/arena/text-to-image/mine/share/")["Location"]
    assert client.post("/arena/text-to-image/mine/share/")["Location"] == address
    voting.cast_vote(battles.serve(voted, Vote.objects.first().category), "tie")
    stranger = Client()
    page = stranger.get(address).content.decode()
    assert "From 20 votes" in page
    assert "Withdraw" not in page
    card = stranger.get(address.rstrip("/") + ".png")
    assert f"http://testserver{card.request['PATH_INFO']}" in page
    assert "max-age=60" in card["Cache-Control"]  # a link that is withdrawn leaves proxies, too
    with Image.open(io.BytesIO(card.content)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))
    assert stranger.post(address + "withdraw/").status_code == 404
    assert "Withdraw" in client.get(address).content.decode()
    client.post(address + "withdraw/")
    assert stranger.get(address).status_code == 404
    assert stranger.get(address.rstrip("/") + ".png").status_code == 404
    assert not SharedRanking.objects.exists()


def vote_on(left, right, outcome):
    battle = make.make_battle(left=left, right=right)
    voting.cast_vote(battle, outcome)
    return battle


def answered(battle):
    """What a reveal is made from, as of now."""
    clear_process_caches()
    return battle_reveal.answered_pair(voter_state.look_at(battle.voter_id, battle.pk).battle)


def test_others_are_those_on_the_two_images_turned_as_this_voter_saw_them_without_ones_own():
    one = make.make_entry()
    other = make.make_entry(one.prompt)
    mine = vote_on(one, other, "tie")
    assert reveal.others(answered(mine)) == crowd.Others(left=0, tie=0, both_bad=0, right=0)
    for _ in range(5):
        vote_on(one, other, "left")
    for _ in range(4):
        vote_on(other, one, "left")
    vote_on(other, one, "both_bad")
    assert reveal.others(answered(mine)) == crowd.Others(left=5, tie=0, both_bad=1, right=4)
    assert reveal.others(answered(vote_on(other, one, "left"))) == crowd.Others(left=4, tie=1, both_bad=1, right=5)


def test_votes_elsewhere_on_the_two_models_are_no_votes_on_this_pair_but_make_it_expected():
    one = make.make_entry()
    other = make.make_entry(one.prompt)
    for _ in range(10):
        prompt = make.make_prompt(one.prompt.competition)
        elsewhere = make.make_entry(prompt, other.image_model), make.make_entry(prompt, one.image_model)
        vote_on(*elsewhere, "left")
    vote_on(elsewhere[1], elsewhere[0], "left")
    mine = vote_on(one, other, "right")
    assert reveal.reveal(answered(mine)).crowd.basis == ""
    ratings.recompute_moved()
    shown = reveal.reveal(answered(mine))
    assert (shown.crowd.basis, shown.crowd.votes, shown.crowd.stand) == ("expected", 0, "with")
    assert shown.crowd.right > 80
    assert shown.headline == "You chose the favourite."
    assert shown.line == "You are the first to vote on this pair."
    assert (shown.left.place, shown.right.long_place) == ("tied 1–2 of 2", "Tied 1–2 of 2")
    assert re.fullmatch(r"\d+ ±\d+", shown.right.elo)
