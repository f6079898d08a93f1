"""The cap of a voter follows the board: new votes are judged by it at once, and earlier ones as it moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from arena import integrity, vote_cap
from arena.integrity import caps, consequences, exclusion, rules
from arena.models import Vote, VoteCap
from arena.voting import recount
from leaderboard.board import pair_counts
from tests import factories as make
from tests.arena.integrity.crowd import Crowd

pytestmark = pytest.mark.django_db


def busy_crowd():
    """Six models, and a voter whose first 50 of 70 votes count: nobody has counted the votes yet."""
    crowd = Crowd()
    crowd.busy = make.make_voter()
    crowd.vote(crowd.busy, 70, lambda _, honest: honest)
    return crowd


@pytest.fixture(scope="module")
def shared_crowd(shared_rows):
    return shared_rows.make(busy_crowd)


@pytest.fixture
def crowd(shared_rows, shared_crowd):
    return shared_rows.lend(shared_crowd)


def counted(voter):
    return Vote.objects.counted().filter(voter=voter).count()


def is_sound():
    return pair_counts.check() == 0 and integrity.image_differences() == []


def test_votes_beyond_the_cap_come_in_as_the_board_grows_and_go_out_where_it_falls(crowd):
    assert (counted(crowd.busy), caps.of(crowd.category.pk)) == (50, vote_cap.FLOOR)
    (row,) = caps.follow()
    assert (row.cap, row.votes, row.voters) == (140, 70, 1)
    assert counted(crowd.busy) == 70
    assert is_sound()
    crowd.people(9, 2)
    row = caps.recount(crowd.category.pk)
    assert (row.cap, row.votes, row.voters) == (50, 88, 10)
    assert counted(crowd.busy) == 50
    last = Vote.objects.filter(voter=crowd.busy).order_by("cast_at")[50:]
    assert {vote.excluded_reason for vote in last} == {caps.reason(50)}
    assert is_sound()


def test_a_second_look_changes_nothing_and_a_quiet_board_is_not_looked_at(crowd):
    caps.follow()
    row = VoteCap.objects.values().get()
    assert caps.follow() == []
    caps.recount(crowd.category.pk)
    assert VoteCap.objects.values("cap", "applied", "votes").get() == {
        name: row[name] for name in ("cap", "applied", "votes")
    }


def test_who_dies_half_way_is_followed_up(crowd):
    caps.follow()
    exclusion.exclude(
        Vote.objects.filter(voter=crowd.busy).order_by("-cast_at").values_list("pk", flat=True)[:20],
        caps.reason(50), rules.CAP.name,
    )  # fmt: skip
    VoteCap.objects.update(applied=50)
    caps.follow()
    assert counted(crowd.busy) == 70


def test_a_fixed_limit_of_an_earlier_release_gives_way(crowd):
    Vote.objects.exclude(excluded_reason="").update(excluded_rule=rules.FIXED_CAP.name)
    caps.follow()
    assert counted(crowd.busy) == 70


def test_votes_that_an_earlier_release_counts_beyond_the_cap_go_out_again(crowd):
    """While both releases run, the old one's processes count up to a cap of their own."""
    crowd.people(9, 2)
    assert caps.recount(crowd.category.pk).cap == 50
    exclusion.include(Vote.objects.filter(voter=crowd.busy).values_list("pk", flat=True))
    assert counted(crowd.busy) == 70
    row = caps.recount(crowd.category.pk)
    assert (row.cap, row.applied, counted(crowd.busy)) == (50, 50, 50)
    last = Vote.objects.filter(voter=crowd.busy).order_by("cast_at")[50:]
    assert {vote.excluded_reason for vote in last} == {caps.reason(50)}
    assert is_sound()


def test_a_new_vote_is_judged_by_the_cap_of_its_board(crowd):
    caps.follow()
    crowd.vote(crowd.busy, 3, lambda _, honest: honest)
    assert counted(crowd.busy) == 73
    crowd.people(9, 2)
    caps.recount(crowd.category.pk)
    crowd.vote(crowd.busy, 1, lambda _, honest: honest)
    assert Vote.objects.filter(voter=crowd.busy).latest("cast_at").excluded_rule == rules.CAP.name


def test_an_excluded_voter_has_no_part_in_it(crowd):
    consequences.exclude_voter(crowd.busy.pk, crowd.category.pk, rules.CURATOR.name, "a test", by="boss")
    crowd.people(2, 1)
    (row,) = caps.follow()
    assert (row.votes, row.voters) == (2, 2)
    VoteCap.objects.update(applied=10)
    caps.follow()
    assert counted(crowd.busy) == 0


def test_votes_older_than_its_days_stay_as_they_are(crowd):
    old = timezone.now() - timedelta(days=caps.DAYS + 1)
    Vote.objects.update(cast_at=old)
    crowd.people(1, 1)
    (row,) = caps.follow()
    assert (row.votes, row.voters) == (1, 1)
    assert counted(crowd.busy) == 50


def test_a_large_board_is_counted_once_an_hour(crowd, monkeypatch):
    monkeypatch.setattr(caps, "LARGE", 70)
    caps.follow()
    crowd.people(1, 1)
    Vote.objects.update(cast_at=timezone.now())
    assert caps.follow() == []
    VoteCap.objects.update(counted_at=timezone.now() - timedelta(seconds=caps.LARGE_SECONDS + 1))
    assert len(caps.follow()) == 1


def test_the_voter_reads_the_cap_and_the_bar_of_the_vote_stays_empty(crowd, monkeypatch):
    monkeypatch.setattr(vote_cap, "FLOOR", 1)
    client = Client()
    htmx = {"headers": {"HX-Request": "true"}}
    replies = []
    for _ in range(2):
        url = make.battle_url(client.get("/arena/text-to-image/"))
        replies.append(client.post(f"{url}vote/", {"outcome": "left"}, **htmx).content.decode())
    assert "does not count" not in replies[0]
    assert f"Your answer does not count: {caps.reason(1)}." in replies[1]
    page = client.get("/arena/text-to-image/").content.decode()
    bars = page[page.index('class="bars"') :][:300]
    assert [bars.count(f'class="{mark}"') for mark in ("is-done", "is-uncounted", "is-current")] == [1, 1, 1]
    card = client.get("/arena/text-to-image/rounds/1/").content.decode()
    assert card.count('class="is-uncounted"') >= 1
    own = Vote.objects.exclude(voter=crowd.busy)
    own.exclude(excluded_reason="").update(cast_at=timezone.now() + timedelta(seconds=9))
    voter = own.latest("cast_at").voter
    bits = voter.progress.get().uncounted
    voter.progress.update(uncounted=0, votes=1)
    recount.check()
    assert voter.progress.get().uncounted == bits == 2
    assert integrity.progress_differences() == []
