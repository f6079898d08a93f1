"""A board that stands still, and pair counts that lie, are shown where somebody looks."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from arena import voting
from arena.models import Tally, Vote
from leaderboard.board import health, pair_counts, ratings, snapshots
from leaderboard.models import Board
from leaderboard.rating import elo
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def category():
    """A category with one vote and its board."""
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    ratings.recompute(battle.prompt.competition.category)
    return battle.prompt.competition.category


def another_vote(category):
    prompt = category.competitions.get().prompts.get()
    voting.cast_vote(make.make_battle(left=make.make_entry(prompt), right=make.make_entry(prompt)), "right")


def page(client):
    response = client.get("/status/")
    assert response.status_code == 200
    return response.content.decode()


def test_all_is_well(client, category):
    make.make_category("nobody-voted")
    pair_counts.check()
    assert [condition.trouble for condition in health.report()] == ["", ""]
    assert "All boards are up to date" in page(client)
    assert client.get("/readyz").json()["ratings"] == "ok"


def test_a_failed_recompute_is_reported_until_one_works(client, category, monkeypatch):
    another_vote(category)
    monkeypatch.setattr(elo, "fit", lambda *_, **__: 1 / 0)
    ratings.recompute(category)
    response = client.get("/readyz")
    assert response.status_code == 200  # the last good board stands
    assert response.json()["ratings"].startswith("text-to-image: the last recompute failed at 20")
    assert "(ZeroDivisionError)" in response.json()["ratings"]
    assert "division by zero" not in response.json()["ratings"]
    assert "the last recompute failed" in page(client)
    assert "1 of 1 board cannot" in page(client)
    monkeypatch.undo()
    assert ratings.recompute_moved() == [category]
    assert client.get("/readyz").json()["ratings"] == "ok"
    assert "All boards are up to date" in page(client)


def test_votes_that_nobody_rates_are_reported(client, category):
    another_vote(category)
    assert "All boards are up to date" in page(client)  # it has been seconds
    Tally.objects.update(changed_at=timezone.now() - 2 * health.RATING_TIMEOUT)
    assert "votes wait to be rated" in page(client)
    ratings.recompute(category)
    assert "All boards are up to date" in page(client)


def test_wrong_pair_counts_are_reported_until_a_recount_finds_them_right(client, category):
    Tally.objects.update(n=2)
    assert pair_counts.check(every=timedelta(days=1)) == 1
    assert "found 1 wrong pair counts" in client.get("/readyz").json()["ratings"]
    Tally.objects.update(n=1)
    assert pair_counts.check(every=timedelta(days=1)) == 0  # counted less than a day ago: not again
    assert Board.objects.get().tallies_wrong == 1
    Board.objects.update(recounted_at=timezone.now() - timedelta(days=1, seconds=1))
    assert pair_counts.check(every=timedelta(days=1)) == 0
    assert client.get("/readyz").json()["ratings"] == "ok"


def test_without_a_board_there_is_nothing_to_tell(client):
    assert "There are no boards yet" in page(client)
    assert health.failures() == []


def test_snapshots_lead_to_each_other_and_say_what_moved(client, category):
    assert "No snapshots yet" in client.get("/snapshots/").content.decode()
    first = snapshots.take(category)
    another_vote(category)
    second = snapshots.take(category)
    listed = client.get("/snapshots/").content.decode()
    assert listed.index(f"/snapshots/{second.pk}/") < listed.index(f"/snapshots/{first.pk}/")
    before, after = (client.get(snapshot.get_absolute_url()).content.decode() for snapshot in (first, second))
    assert f'rel="next" href="/snapshots/{second.pk}/"' in before
    assert 'rel="prev"' not in before
    assert f'rel="prev" href="/snapshots/{first.pk}/"' in after
    assert "Moved" not in before
    assert len(re.findall(r">\s*new\s*<", after)) == 2
    assert after.count("±0") == 2


def test_an_unchanged_board_is_not_computed_again_for_its_snapshot(category, monkeypatch):
    taken = snapshots.take(category)
    monkeypatch.setattr(ratings, "compute", lambda *_: pytest.fail("computed"))
    assert snapshots.take(category) == taken


@pytest.mark.django_db(transaction=True)
def test_a_vote_while_it_is_recounted_is_no_difference(category):
    """Votes are read before the tallies; what is cast between is in neither."""
    battle, cast = make.make_battle(), list[bool]()
    assert battle.prompt.competition.category == category

    def vote() -> None:
        voting.cast_vote(battle, "left")
        connection.close()

    def meanwhile(execute, sql, params, many, context):
        if 'FROM "arena_tally"' in sql and not cast:
            cast.append(True)
            thread = threading.Thread(target=vote)
            thread.start()
            thread.join()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        assert pair_counts.differences(category) == {}
    assert cast
    assert Vote.objects.count() == 2
    assert pair_counts.differences(category) == {}
