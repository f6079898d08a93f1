"""From tallies to boards."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from arena import battles, integrity, pairing, voting
from arena.imports.votes import load
from arena.models import Category, Tally, Vote
from leaderboard.board import image_records, pair_counts, ratings, standings
from leaderboard.board_page import csv_export
from leaderboard.models import Board, Rating
from leaderboard.rating import elo
from tests import factories as make
from tests.leaderboard.voting import many_votes

GOLDEN = json.loads((Path(__file__).parents[1] / "rating" / "golden-ratings.json").read_text())
VOTES = settings.BASE_DIR / "arena" / "demo" / "votes"


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_real_votes_come_out_as_the_reference_ratings_on_the_board_and_in_its_csv(client, name):
    category = make.make_category(name)
    load.import_votes((VOTES / f"votes-{name}.csv").read_bytes(), category, "ImagenHub")
    assert ratings.recompute(category)
    expected = GOLDEN[name]["ratings"]
    knows_raters = Board.objects.get(category=category).voters > 0
    rows = list(csv.DictReader(io.StringIO(client.get(f"/leaderboard/{name}.csv").content.decode())))
    assert {row["model"] for row in rows} == set(expected)
    for row in rows:
        reference = expected[row["model"]]
        assert float(row["elo"]) == pytest.approx(reference["elo"], abs=1e-4)
        half_width = (float(row["upper"]) - float(row["lower"])) / 2
        if knows_raters:  # three raters, and samples: wider than if all votes were independent
            assert half_width > 1.5 * 1.959964 * reference["sandwich_se"]
        else:
            assert half_width == pytest.approx(1.959964 * reference["sandwich_se"], rel=0.02)
            assert int(row["rank_low"]) <= reference["rank"] <= int(row["rank_high"])
        assert int(row["votes"]) == reference["battles"]
    assert [float(row["elo"]) for row in rows] == sorted((float(row["elo"]) for row in rows), reverse=True)


@pytest.mark.django_db
def test_a_vote_moves_the_board(category):
    assert ratings.recompute(category)
    before = {standing.rating.image_model_id: standing.rating.elo for standing in standings.board(category)}
    vote = Vote.objects.get()
    again = make.make_battle(left=vote.battle.left, right=vote.battle.right)
    voting.cast_vote(again, "right")
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
    voting.cast_vote(again, "right")
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
    assert pair_counts.check() == 0
    Tally.objects.update(n=2)
    assert pair_counts.check() == 1
    assert "tally differs" in caplog.text


@pytest.mark.django_db
def test_a_category_without_votes_has_an_empty_board():
    category = make.make_category()
    ratings.recompute(category)
    assert standings.board(category) == []
    assert csv_export.board_csv([]).startswith("rank,model,elo,lower,upper,votes,status")


@pytest.mark.django_db
def test_records_of_a_competition_count_wins_ties_and_losses():
    one = make.make_entry()
    other = make.make_entry(one.prompt)
    for outcome in ("left", "left", "right", "tie", "both_bad"):
        voting.cast_vote(make.make_battle(left=one, right=other), outcome)
    image_records.recount(one.prompt.competition.category, force=True)
    best, worst = image_records.of_competition(one.prompt.competition)
    assert (best.image_model, best.won, best.tied, best.lost) == (one.image_model, 2, 2, 1)
    assert (worst.won, worst.tied, worst.lost, worst.votes) == (1, 2, 2, 5)
    assert best.points == pytest.approx(0.6)


@pytest.mark.django_db
def test_the_sampler_follows_the_ratings(category):
    assert pairing.pool(category).table is None
    ratings.recompute(category)
    table = pairing.pool(category).table
    assert list(table.models) == sorted(Rating.objects.values_list("image_model", flat=True))
    battle = battles.serve(make.make_voter(), category)
    battle.refresh_from_db()
    assert battle.probability == pytest.approx(1)


@pytest.mark.django_db
def test_an_excluded_vote_leaves_the_board_and_an_included_one_comes_back(category):
    many_votes(category, voters=5, most=6)
    ratings.recompute(category)
    before = sorted(Rating.objects.values_list("image_model", "elo", "votes"))
    some = [vote.pk for vote in Vote.objects.all()[:7]]
    integrity.exclude(some, "a test", "test-1")
    assert ratings.recompute(category)
    assert sorted(Rating.objects.values_list("image_model", "elo", "votes")) != before
    integrity.include(some)
    assert ratings.recompute(category)
    after = sorted(Rating.objects.values_list("image_model", "elo", "votes"))
    for old, new in zip(before, after, strict=True):
        assert new == pytest.approx(old, abs=1e-9)


@pytest.mark.django_db
def test_a_model_that_never_lost_is_not_yet_bounded_on_the_page(client, category):
    ratings.recompute(category)
    page = client.get(category.get_absolute_url()).content.decode()
    assert "no interval yet" in page
    assert "No place yet" in page
    assert "is-unsettled" in page
    assert set(re.findall(r'<td class="number col-elo">\s*<strong>([^<]*)<', page)) == {"–"}


@pytest.mark.django_db
def test_a_board_says_which_limit_binds(client):
    category = make.make_category("imagenhub")
    rows = csv.DictReader(io.StringIO((VOTES / "votes-imagenhub-text-to-image.csv").read_text()))
    unknown = "".join(f"{row['prompt']},{row['left']},{row['right']},{row['outcome']}\n" for row in rows)  # no voters
    load.import_votes(f"prompt,left,right,outcome\n{unknown}".encode(), category, "ImagenHub")
    ratings.recompute(category)
    page = client.get(category.get_absolute_url()).content.decode()
    limit = standings.limit(Category.objects.select_related("board").get(pk=category.pk))
    assert limit.is_prompts
    assert "197 prompts" in page
    further = f"further (±{limit.from_prompts:.0f}) than other votes on the same ones (±{limit.from_votes:.0f})"
    assert f"Other prompts could move the ratings {further}." in page
    assert "another model would be highest" in page
