"""Votes cast sooner than anybody can look: by the database's time, so each statement has its own transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from arena import battles, voting
from arena.integrity import rules
from arena.models import Battle, Vote
from tests import factories as make

from .test_limits import four_prompts_of_four_models

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def category():
    return four_prompts_of_four_models()


@pytest.mark.parametrize(("seconds", "rule"), [(0, rules.FAST.name), (300, "")])
def test_a_vote_sooner_than_anybody_can_look_does_not_count(category, settings, seconds, rule):
    settings.VOTE_MIN_SECONDS = 200
    battle = battles.serve(make.make_voter(), category)
    now = timezone.now()
    Battle.objects.update(served_at=now - timedelta(seconds=500), left_fetched_at=now - timedelta(seconds=400),
                          right_fetched_at=now - timedelta(seconds=seconds))  # fmt: skip
    voting.cast_vote(battle, "left")
    assert Vote.objects.get().excluded_rule == rule


def test_a_pair_whose_showing_was_never_reported_is_timed_from_the_answer_before(category, settings):
    settings.VOTE_MIN_SECONDS = 60
    voter = make.make_voter()
    first = battles.serve_state(voter.pk, category.pk)
    following = battles.ahead(first, 1)[0]
    Battle.objects.filter(pk=first.battle.pk).update(served_at=timezone.now() - timedelta(seconds=90))
    voting.cast_vote(first.battle, "left")
    voting.cast_vote(following, "left")
    assert Vote.objects.get(pk=first.battle.pk).excluded_rule == ""
    assert Vote.objects.get(pk=following.pk).excluded_rule == rules.FAST.name
