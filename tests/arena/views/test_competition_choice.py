"""Voting within one competition: its pairs only, never a choice between pairs."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from arena import battles, voting
from arena.battles import competition_choice, voter_state
from arena.models import Battle, Competition
from tests import factories as make

pytestmark = pytest.mark.django_db

HTMX = {"headers": {"HX-Request": "true"}}
ARENA = "/arena/text-to-image/"


@pytest.fixture
def letters() -> Competition:
    """A competition of three pairs, beside another of as many."""
    models = [make.make_model() for _ in range(3)]
    category = make.make_category()
    chosen, other = (make.make_competition(category, slug=slug, title=slug.title()) for slug in ("letters", "light"))
    for competition in (chosen, other):
        prompt = make.make_prompt(competition)
        for model in models:
            make.make_entry(prompt, model)
    return chosen


def links(response) -> dict[str, str]:
    """Where the page of a pair leads: to its vote, its skip, and on."""
    page = html.unescape(response.content.decode())
    return {
        "vote": re.findall(r'hx-post="([^"]+/vote/[^"]*)"', page)[0],
        "skip": re.findall(r'hx-post="([^"]+/skip/[^"]*)"', page)[0],
        "next": re.findall(r'data-next="([^"]+)"', page)[0],
    }


def test_all_pairs_of_a_choice_are_of_its_competition_and_then_it_says_so(client, letters):
    url = f"{ARENA}?competition=letters"
    for _ in range(3):
        page = client.get(url)
        vote = links(page)["vote"]
        assert vote.endswith("/vote/?competition=letters")
        reply = client.post(vote, {"outcome": "left"}, **HTMX)
        assert reply.status_code == 200
        assert f'href="{url}"' in reply.content.decode()  # goes on with the same competition
    answered = set(Battle.objects.exclude(vote=None).values_list("prompt__competition__slug", flat=True))
    assert answered == {"letters"}
    end = client.get(url).content.decode()
    assert "You have seen every pair of “Letters”" in end
    assert f'href="{ARENA}">Vote on all competitions' in end
    assert 'data-state="open"' in client.get(ARENA).content.decode()  # the other one's are still there


def test_a_pair_on_the_screen_comes_before_those_of_another_choice(client, letters):
    voter = make.make_voter()
    make.sign_in(client, voter)
    chosen = competition_choice.CompetitionChoice(letters.pk, letters.slug, letters.title)
    other = Competition.objects.get(slug="light")
    shown = battles.serve_state(
        voter.pk, letters.category_id, competition_choice.CompetitionChoice(other.pk, other.slug, other.title)
    ).battle
    page = client.get(f"{ARENA}?competition=letters")
    assert make.battle_url(page) == f"{shown.url}?competition=letters"
    assert "This pair was open already and comes first; after it, only “Letters”." in page.content.decode()
    client.post(links(page)["skip"], **HTMX)
    assert battles.serve_state(voter.pk, letters.category_id, chosen).battle.competition == letters.pk


def test_going_to_another_competition_and_back_brings_the_same_pairs(letters):
    """Else a voter could look for a certain pair by changing the competition."""
    voter, category = make.make_voter(), letters.category_id
    other = Competition.objects.get(slug="light")
    choices = [competition_choice.CompetitionChoice(c.pk, c.slug, c.title) for c in (letters, other)]
    first = battles.serve_state(voter.pk, category, choices[0])
    ahead = [row.pk for row in battles.ahead(first, 2, choice=choices[0])]
    state = voter_state.look_at(voter.pk, first.battle.pk)
    assert battles.ahead(state, 2, choice=choices[1]) == [], "two wait unseen: no more can be collected to choose from"
    assert [row.pk for row in battles.ahead(state, 2, choice=choices[0])] == ahead
    assert battles.serve_state(voter.pk, category, choices[1]).battle.pk == first.battle.pk
    voting.cast_vote(first.battle, "left")
    served = battles.serve_state(voter.pk, category, choices[1])
    assert served.battle.competition == other.pk, "one at a time, on the screen"
    assert battles.ahead(served, 2, choice=choices[1]) == []
    assert Battle.objects.filter(voter=voter, vote=None).count() == 3


def test_a_browser_without_cookie_has_one_pair_for_each_choice(client, letters):
    chosen = client.get(f"{ARENA}?competition=letters")
    assert links(client.get(f"{ARENA}?competition=letters")) == links(chosen)
    every = links(client.get(ARENA))
    assert links(client.get(ARENA)) == every != links(chosen)
    client.post(links(chosen)["vote"], {"outcome": "tie"}, **HTMX)
    assert Battle.objects.get(vote__isnull=False).prompt.competition == letters
    assert not [name for name, morsel in client.cookies.items() if name.startswith("ballot-") and morsel.value]


def test_the_choices_are_offered_where_there_are_several(client, letters):
    page = client.get(f"{ARENA}?competition=letters").content.decode()
    assert re.search(rf'href="{re.escape(ARENA)}\?competition=letters"\s+aria-current="true"', page)
    assert f'href="{ARENA}?competition=light"' in page
    Competition.objects.filter(slug="light").update(is_published=False)
    assert "?competition=" not in Client().get(ARENA).content.decode()


@pytest.mark.parametrize(("slug", "status"), [("letters", 410), ("nonsense", 400), ("<b>", 400)])
def test_a_competition_that_is_not_open_is_not_replaced_by_others(client, letters, slug, status):
    Competition.objects.filter(pk=letters.pk).update(closes_at=timezone.now())
    page = client.get(ARENA, {"competition": slug})
    assert page.status_code == status
    assert "Not open for votes" in page.content.decode()
    assert f'href="{ARENA}">Vote on all competitions' in page.content.decode()
    assert "<b>" not in page.content.decode().split("<main")[1]


@pytest.mark.parametrize(("is_generating", "says"), [(True, "The models are drawing."), (False, "No images here yet")])
def test_a_competition_whose_pairs_are_to_come_says_so_and_waits_for_them(client, letters, is_generating, says):
    new = make.make_competition(letters.category, slug="new", title="New")
    if is_generating:
        make.make_generation(make.make_prompt(new))
    page = client.get(ARENA, {"competition": "new"})
    assert page.status_code == 200
    text = page.content.decode()
    assert says in text
    assert "“New” has no pairs yet" in text
    assert ('hx-get="/arena/text-to-image/wait/?competition=new"' in text) is is_generating


def test_a_competition_that_has_not_started_says_when_it_does(client, letters):
    Competition.objects.filter(pk=letters.pk).update(opens_at="2100-03-04T12:00Z")
    page = client.get(ARENA, {"competition": "letters"})
    assert page.status_code == 200
    assert re.search(r"takes votes from 4 March 2100", page.content.decode())
