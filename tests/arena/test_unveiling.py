"""When a picture may stand beside its model's name: after the vote, or once its prompt left play."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.utils import timezone

from arena import blinding, pairing, voting
from arena.models import Competition, Prompt
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    competition = make.make_competition(unveiling="after_vote")
    prompt = make.make_prompt(competition)
    entry = make.make_entry(prompt)
    make.make_entry(prompt)
    return entry


def shows(entry, client=None) -> bool:
    """Whether any page shows the picture beside its maker's name."""
    client = client or Client()
    name = entry.thumbnail.name.encode()
    competition = entry.prompt.competition
    pages = [competition.get_absolute_url(), f"{competition.get_absolute_url()}{entry.prompt_id}/",
             entry.image_model.get_absolute_url(), f"{entry.image_model.get_absolute_url()}images/"]  # fmt: skip
    seen = {name in client.get(page).content for page in pages}
    own: bool = client.get(f"/entries/{entry.pk}/").status_code == 200
    reply = client.get(f"/entries/{entry.pk}/original")
    if reply.streaming:
        b"".join(reply.streaming_content)  # which closes the file
    original = reply.status_code == 200
    assert seen | {own, original} in ({True}, {False}), (seen, own, original)
    return own


def test_a_prompt_in_play_is_unveiled_for_those_who_voted_on_it(entry):
    voted, stranger = Client(), Client()
    battle = make.make_battle(left=entry, right=entry.prompt.entries.last())
    make.sign_in(voted, battle.voter)
    assert not shows(entry)
    assert not shows(entry, voted)
    voting.cast_vote(battle, "left")
    assert shows(entry, voted)
    assert not shows(entry, stranger)
    assert "stay hidden until you have" in stranger.get(entry.prompt.competition.get_absolute_url()).content.decode()


@pytest.mark.parametrize("how", ["closed", "completed", "always"])
def test_a_prompt_that_left_play_is_unveiled_for_everybody(entry, how):
    competitions = Competition.objects.filter(pk=entry.prompt.competition_id)
    if how == "closed":
        competitions.update(closes_at=timezone.now())
    elif how == "completed":
        Prompt.objects.update(completed_at=timezone.now())
    else:
        competitions.update(unveiling="always")
    assert shows(entry)


def test_a_prompt_leaves_play_with_its_votes_and_pairs_of_it_come_no_more(entry):
    Competition.objects.update(target_votes=2)
    category = entry.prompt.competition.category
    assert blinding.complete_prompts() == 0
    for _ in range(2):
        assert pairing.pool(category).size == 1
        battle = make.make_battle(left=entry, right=entry.prompt.entries.last())
        voting.cast_vote(battle, "left")
    assert blinding.complete_prompts() == 1
    assert blinding.complete_prompts() == 0
    assert pairing.pool(category).size == 0


def test_a_cached_page_of_strangers_is_not_that_of_a_voter(entry):
    page = entry.prompt.competition.get_absolute_url()
    voted = Client()
    battle = make.make_battle(left=entry, right=entry.prompt.entries.last())
    make.sign_in(voted, battle.voter)
    voting.cast_vote(battle, "left")
    name = entry.thumbnail.name.encode()
    for _ in range(2):
        assert name in voted.get(page).content
        assert name not in Client().get(page).content


def test_a_check_before_deployment_names_competitions_that_show_everything(entry):
    assert not [message for message in run_checks(include_deployment_checks=True) if message.id == "arena.W001"]
    Competition.objects.update(unveiling="always")
    (message,) = [message for message in run_checks(include_deployment_checks=True) if message.id == "arena.W001"]
    assert entry.prompt.competition.slug in message.msg
