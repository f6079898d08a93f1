"""Postgres refuses what cannot be true of watches and decisions."""

from __future__ import annotations

import pytest
from django.utils import timezone

from arena import vote_cap
from arena.models import Competition, NetworkWatch, Strengths, VoteCap, VoterDecision, VoterProgress, VoterWatch
from tests import factories as make
from tests.arena.test_constraints import refuses

pytestmark = pytest.mark.django_db


def strengths(**fields):
    category = fields.pop("category", None) or make.make_category()
    values = {"votes": 3, "image_models": [1, 2], "wins": bytes(4 * 4 * 2 * 2), "shares": [0.5, 1.0]}
    return Strengths.objects.create(category=category, **values | fields)


def test_strengths():
    refuses("wins of every fold and pair", lambda: strengths(wins=bytes(8)))
    refuses("every model of strengths has a share", lambda: strengths(shares=[1.0]))


def test_a_voters_watch():
    judge, voter = strengths(), make.make_voter()

    def watch(**fields):
        values = {
            "voter": voter, "category": judge.category, "strengths": judge, "votes": 3, "decided": 2,
            "last_vote_at": timezone.now(), "families": [0.0] * 6, "skips": 0.0, "log_e": 0.0, "peak": 1.0,
            "review_peak": 2.0,
        }  # fmt: skip
        return VoterWatch.objects.create(**values | fields)

    refuses("decided votes are votes", lambda: watch(decided=4))
    refuses("a value of every family", lambda: watch(families=[0.0]))
    refuses("peaks of a watch are in order", lambda: watch(peak=3.0))
    refuses("peaks of a watch are in order", lambda: watch(peak=-1.0))
    watch()
    refuses("one watch per voter and category", watch)


def test_a_networks_watch():
    judge = strengths()

    def watch(**fields):
        values = {"network": "ab12", "category": judge.category, "strengths": judge, "voters": 1, "votes": 0.0,
                  "ballots": 0.0, "peak": 0.0}  # fmt: skip
        return NetworkWatch.objects.create(**values | fields)

    refuses("a watched network has a name", lambda: watch(network=""))
    watch()
    refuses("one watch per network and category", watch)


def test_a_decision_and_a_standing():
    voter, category = make.make_voter(), make.make_category()

    def decide(**fields):
        values = {
            "voter": voter,
            "category": category,
            "action": "exclude",
            "rule": "side-1",
            "reason": "x",
            "votes": 1,
        }
        return VoterDecision.objects.create(**values | fields)

    refuses("decision is known", lambda: decide(action="burn"))
    refuses("names rule and reason", lambda: decide(reason=""))
    refuses("an excluded voter has reason and rule",
            lambda: VoterProgress.objects.create(voter=voter, category=category, excluded_rule="x"))  # fmt: skip
    refuses("skips in a row are skips",
            lambda: VoterProgress.objects.create(voter=voter, category=category, skips_in_row=1))  # fmt: skip


def test_unveiling_and_target():
    competition = make.make_competition()
    competitions = Competition.objects.filter(pk=competition.pk)
    refuses("unveiling is known", lambda: competitions.update(unveiling="never"))
    refuses("a target of votes is at least one", lambda: competitions.update(target_votes=0))


def test_a_cap_follows_from_its_votes_and_voters():
    category = make.make_category()

    def cap(**fields):
        return VoteCap.objects.create(category=category, counted_at=timezone.now(), **fields)

    for votes, voters in ((0, 0), (299, 10), (800, 10), (6_999, 200), (1_000_000, 70_000)):
        right = vote_cap.cap(votes, voters)
        for wrong in (right - 10, right + 10):
            refuses("a cap follows", lambda n=wrong, v=votes, w=voters: cap(cap=n, votes=v, voters=w))
        cap(cap=right, votes=votes, voters=voters).delete()
    refuses("every voter of a cap has a vote", lambda: cap(cap=50, votes=1, voters=2))
