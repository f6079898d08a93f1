"""One model through two providers: asked again, drawn blind, on no board, and said on the model's page."""

from __future__ import annotations

from random import Random

import pytest
from django.core.management import CommandError, call_command

from arena import generation, matchmaking, pairing, voting
from arena.models import Entry, Generation, Tally, Vote
from leaderboard.profiles import watched
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db

OTHER = "simulated-fal"


def answer(row):
    """Store an image for a queued generation, as a call to the provider that it names brought it."""
    claimed = generation.claim(row.pk)
    offering = claimed.image_model.offerings.get(provider=claimed.provider)
    data, derivatives = make._sample(3, claimed.prompt.competition.shape)
    image = make.GeneratedImage(data, "image/png", 256, 256)
    return generation.store(claimed, make.made(claimed.image_model, image, make.make_call(offering)), derivatives)


@pytest.fixture
def checked(settings):
    """Three prompts that two models have answered, and one of them again through another provider."""
    settings.PROVIDERS = {**settings.PROVIDERS, OTHER: settings.PROVIDERS[OTHER] | {"api_key": "simulated"}}
    competition = make.make_competition()
    prompts = [make.make_prompt(competition) for _ in range(3)]
    models = [make.make_model(name=name) for name in ("Ash", "Birch")]
    for prompt in prompts:
        for model in models:
            make.make_entry(prompt, model)
    make.make_offering(models[0], OTHER)
    assert generation.unchecked(competition, models[0], OTHER) == prompts
    assert generation.plan_check(prompts, models[0], OTHER) == 3
    assert generation.unchecked(competition, models[0], OTHER) == []
    rows = Generation.objects.filter(provider=OTHER).order_by("pk")
    assert {row.sample for row in rows} == {1}
    return models[0], [answer(row) for row in rows]


def test_checks_are_drawn_blind_and_count_on_no_board(client, checked):
    model, entries = checked
    category = entries[0].prompt.competition.category
    pool = pairing.pool(category)
    assert {check[2] for check in pool.checks} == {entry.pk for entry in entries}
    assert {candidate.entry for candidate in pool.candidates}.isdisjoint(entry.pk for entry in entries)
    random = Random(1)
    drawn = next(
        one for _ in range(500) if {(one := matchmaking.draw(pool, matchmaking.NOTHING_MET, random)).left, one.right}
        & {entry.pk for entry in entries}
    )  # fmt: skip
    left, right = (Entry.objects.get(pk=pk) for pk in (drawn.left, drawn.right))
    assert left.image_model == right.image_model == model
    battle = make.make_battle(left=left, right=right)
    voting.cast_vote(battle, "left")
    assert not Tally.objects.exists()
    assert Vote.objects.get().excluded_reason == ""
    (pair,) = watched.of_model(model, None).parities
    assert pair.parity.votes == 1
    assert pair.one != pair.other
    page = client.get(model.get_absolute_url()).content.decode()
    assert "The same model through two providers" in page
    assert "1 blind vote so far: too few to say." in page


def test_the_command_shows_the_price_before_it_queues(checked, capsys):
    model, entries = checked
    competition = entries[0].prompt.competition
    fourth = make.make_entry(make.make_prompt(competition), model)
    with pytest.raises(CommandError, match="cannot be asked"):
        call_command("check_provider", model.slug, "nobody", competition=competition.slug)
    call_command("check_provider", model.slug, OTHER, competition=competition.slug)
    assert "1 images" in capsys.readouterr().out
    assert not Generation.objects.filter(prompt=fourth.prompt, provider=OTHER).exists()
    call_command("check_provider", model.slug, OTHER, competition=competition.slug, yes=True)
    row = Generation.objects.get(prompt=fourth.prompt, provider=OTHER)
    refuses("the sample that is rated names no provider", update(row, sample=0))
