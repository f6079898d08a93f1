"""Voters under watch: who is caught, what happens to their votes, and that a second look changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from arena import vote_cap, voting
from arena.integrity import consequences, evidence, exclusion, rules, watch
from arena.models import Tally, Vote, VoterDecision, VoterProgress, VoterWatch
from leaderboard.board import pair_counts, ratings
from leaderboard.models import Rating
from tests import factories as make
from tests.arena.integrity.crowd import Crowd

pytestmark = pytest.mark.django_db


def honest_crowd():
    crowd = Crowd()
    crowd.people(voters=8, votes=40)
    return crowd


@pytest.fixture(scope="module")
def shared_crowd(shared_rows):
    return shared_rows.make(honest_crowd)


@pytest.fixture
def crowd(shared_rows, shared_crowd):
    return shared_rows.lend(shared_crowd)


def figures(category):
    """Every digit of the board that is published."""
    ratings.recompute(category)
    rows = Rating.objects.filter(category=category).values_list("image_model", "elo", "lower", "upper", "votes")
    return sorted(tuple(round(value, 6) for value in row) for row in rows)


def cells():
    return set(Tally.objects.values_list("category", "day", "left_model", "right_model", "outcome", "n"))


def test_a_voter_who_only_answers_left_is_out_and_the_board_is_as_if_they_had_never_come(crowd):
    before, board = cells(), figures(crowd.category)
    rigger = make.make_voter()
    crowd.vote(rigger, 45, lambda battle, _: "left")
    assert cells() != before
    watch.run()
    assert set(Vote.objects.filter(voter=rigger).values_list("excluded_rule", flat=True)) == {rules.SIDE.name}
    assert {row for row in cells() if row[-1]} == before
    assert figures(crowd.category) == board
    assert pair_counts.check() == 0
    decision = VoterDecision.objects.get()
    assert (decision.voter, decision.action, decision.by, decision.votes) == (rigger, "exclude", "", 45)
    assert decision.log_e >= evidence.QUARANTINE


def test_honest_voters_stay_and_a_second_look_changes_nothing(crowd):
    watch.run()
    assert not Vote.objects.exclude(excluded_reason="").exists()
    assert VoterWatch.objects.count() == 8
    states = list(VoterWatch.objects.order_by("pk").values())
    assert watch.run() == 0
    assert list(VoterWatch.objects.order_by("pk").values()) == states


def test_what_a_worker_did_not_reach_is_looked_at_next_time(crowd, monkeypatch):
    monkeypatch.setattr(watch, "LIMIT", 3)
    assert [watch.run() for _ in range(4)] == [3, 3, 2, 0]
    assert VoterWatch.objects.count() == 8


def test_later_votes_of_an_excluded_voter_do_not_count_either(crowd):
    rigger = make.make_voter()
    crowd.vote(rigger, 45, lambda battle, _: "tie")
    watch.run()
    crowd.vote(rigger, 3, lambda battle, honest: honest)
    assert set(Vote.objects.filter(voter=rigger).values_list("excluded_rule", flat=True)) == {rules.TIES.name}
    watch.run()
    assert VoterDecision.objects.count() == 1


def test_a_return_brings_back_exactly_what_was_taken_out(crowd):
    rigger = make.make_voter()
    crowd.vote(rigger, 45, lambda battle, _: "right")
    before, board = cells(), figures(crowd.category)
    watch.run()
    assert figures(crowd.category) != board
    assert consequences.return_voter(rigger.pk, crowd.category.pk, "asked, and has one eye", by="boss") == 45
    assert cells() == before
    assert figures(crowd.category) == board
    assert not VoterProgress.objects.exclude(excluded_rule="").exists()
    watch.run()
    assert not Vote.objects.exclude(excluded_reason="").exists()
    assert consequences.return_voter(rigger.pk, crowd.category.pk, "again", by="boss") == 0
    history = VoterDecision.objects.order_by("pk").values_list("action", "by", "votes")
    assert list(history) == [("exclude", "", 45), ("return", "boss", 45)]


def test_a_return_does_not_pass_the_cap(crowd, monkeypatch):
    monkeypatch.setattr(vote_cap, "FLOOR", 20)
    rigger = make.make_voter()
    crowd.vote(rigger, 15, lambda battle, honest: honest)
    consequences.exclude_voter(rigger.pk, crowd.category.pk, rules.CURATOR.name, "a test", by="boss")
    crowd.vote(rigger, 10, lambda battle, honest: honest)
    assert consequences.return_voter(rigger.pk, crowd.category.pk, "a mistake", by="boss") == 20
    assert Vote.objects.filter(voter=rigger, excluded_rule=rules.CAP.name).count() == 5
    assert pair_counts.check() == 0


def test_every_state_can_be_computed_again_from_the_votes(crowd):
    rigger = make.make_voter()
    crowd.vote(rigger, 30, lambda battle, _: "left")
    watch.run()
    crowd.vote(rigger, 10, lambda battle, _: "right")  # came after the look
    call_command("watch_votes", check=True)
    VoterWatch.objects.filter(voter=rigger).update(log_e=1.0)
    with pytest.raises(CommandError, match="1 states differ"):
        call_command("watch_votes", check=True)


def test_a_vote_in_flight_while_its_voter_went_out_is_taken_out(crowd):
    rigger = make.make_voter()
    crowd.vote(rigger, 45, lambda battle, _: "left")
    watch.run()
    late = Vote.objects.filter(voter=rigger).latest("cast_at")
    exclusion.include([late.pk])
    VoterWatch.objects.filter(voter=rigger).update(last_vote_at=late.cast_at - timedelta(seconds=1))
    watch.run()
    assert not Vote.objects.counted().filter(voter=rigger).exists()
    assert VoterDecision.objects.count() == 1


def test_one_category_says_nothing_about_another(crowd):
    rigger = make.make_voter()
    crowd.vote(rigger, 45, lambda battle, _: "left")
    other = make.make_entry(make.make_prompt(make.make_competition(make.make_category("other-category"))))
    elsewhere = make.make_battle(voter=rigger, left=other)
    voting.cast_vote(elsewhere, "left")
    watch.run()
    assert Vote.objects.counted().filter(voter=rigger).count() == 1
