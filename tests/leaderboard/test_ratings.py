"""From tallies to boards."""

from __future__ import annotations

import csv
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from arena import battles, imports
from arena.models import Tally, Vote
from leaderboard import elo, exports, ratings, standings, tallies
from leaderboard.models import Board, Rating
from tests import factories as make

GOLDEN = json.loads((Path(__file__).parent / "golden-ratings.json").read_text())
VOTES = settings.BASE_DIR / "arena" / "demo" / "votes"


@pytest.fixture
def category():
    """A category with one vote: A beat B."""
    battle = make.make_battle()
    battles.cast_vote(battle, "left")
    return battle.prompt.competition.category


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_real_votes_come_out_as_the_reference_ratings_on_the_board_and_in_its_csv(name):
    category = make.make_category(name)
    imports.import_votes((VOTES / f"votes-{name}.csv").read_bytes(), category, "ImagenHub")
    assert ratings.recompute(category)
    expected = GOLDEN[name]["ratings"]
    rows = list(csv.DictReader(io.StringIO(exports.board_csv(category))))
    assert {row["model"] for row in rows} == set(expected)
    for row in rows:
        reference = expected[row["model"]]
        assert float(row["elo"]) == pytest.approx(reference["elo"], abs=1e-4)
        half_width = (float(row["upper"]) - float(row["lower"])) / 2
        assert half_width == pytest.approx(1.959964 * reference["sandwich_se"], rel=0.02)
        assert int(row["votes"]) == reference["battles"]
        assert int(row["rank"]) == reference["rank"]
    assert [float(row["elo"]) for row in rows] == sorted((float(row["elo"]) for row in rows), reverse=True)


@pytest.mark.django_db
def test_a_vote_moves_the_board(category):
    assert ratings.recompute(category)
    before = {standing.rating.image_model_id: standing.rating.elo for standing in standings.board(category)}
    vote = Vote.objects.get()
    again = make.make_battle(left=vote.battle.left, right=vote.battle.right)
    battles.cast_vote(again, "right")
    assert ratings.recompute_moved() == [category]
    after = {standing.rating.image_model_id: standing.rating.elo for standing in standings.board(category)}
    assert after[vote.left_model_id] < before[vote.left_model_id]


@pytest.mark.django_db
def test_nothing_is_recomputed_when_nothing_moved(category):
    assert ratings.recompute(category)
    computed_at = Board.objects.get().computed_at
    assert not ratings.recompute(category)
    assert ratings.recompute_moved() == []
    assert Board.objects.get().computed_at == computed_at


@pytest.mark.django_db
def test_ratings_are_derived_dropping_and_recomputing_gives_the_same(category):
    ratings.recompute(category)
    rows = sorted(Rating.objects.values_list("image_model", "elo", "lower", "upper", "rank", "votes", "status"))
    Rating.objects.all().delete()
    Board.objects.all().delete()
    ratings.recompute(category)
    again = sorted(Rating.objects.values_list("image_model", "elo", "lower", "upper", "rank", "votes", "status"))
    assert [row[0] for row in again] == [row[0] for row in rows]
    for old, new in zip(rows, again, strict=True):
        assert new[1:4] == pytest.approx(old[1:4], abs=1e-9)
        assert new[4:] == old[4:]


@pytest.mark.django_db
def test_a_failure_leaves_the_last_good_board_standing_says_so_and_is_retried(category, monkeypatch):
    ratings.recompute(category)
    good = list(Rating.objects.values_list("pk", "elo"))
    again = make.make_battle(left=Vote.objects.get().battle.left, right=Vote.objects.get().battle.right)
    battles.cast_vote(again, "right")
    monkeypatch.setattr(elo, "fit", lambda *_, **__: 1 / 0)
    assert not ratings.recompute(category)
    assert list(Rating.objects.values_list("pk", "elo")) == good
    assert "ZeroDivisionError" in Board.objects.get().error
    monkeypatch.undo()
    assert ratings.recompute(category)
    assert Board.objects.get().error == ""


@pytest.mark.django_db(transaction=True)
def test_simultaneous_ticks_recompute_a_category_once(category):
    barrier = threading.Barrier(6)

    def tick(_):
        try:
            barrier.wait()
            return ratings.recompute(category)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(tick, range(6))) == 1


@pytest.mark.django_db
def test_the_recount_finds_a_tally_that_lies(category, caplog):
    assert tallies.check() == 0
    Tally.objects.update(n=2)
    assert tallies.check() == 1
    assert "tally differs" in caplog.text


@pytest.mark.django_db
def test_a_category_without_votes_has_an_empty_board():
    category = make.make_category()
    ratings.recompute(category)
    assert standings.board(category) == []
    assert exports.board_csv(category) == "rank,model,elo,lower,upper,votes,status\n"


@pytest.mark.django_db
def test_records_of_a_competition_count_wins_ties_and_losses():
    one = make.make_entry()
    other = make.make_entry(one.prompt)
    for outcome in ("left", "left", "right", "tie", "both_bad"):
        battles.cast_vote(make.make_battle(left=one, right=other), outcome)
    best, worst = standings.of_competition(one.prompt.competition)
    assert (best.image_model, best.won, best.tied, best.lost) == (one.image_model, 2, 2, 1)
    assert (worst.won, worst.tied, worst.lost, worst.votes) == (1, 2, 2, 5)
    assert best.points == pytest.approx(0.6)
