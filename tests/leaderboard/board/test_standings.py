"""The questions pages ask: the last 90 days, two models at a time, prompts with a tag, all categories, history."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.imports.votes import load
from arena.models import Tally
from leaderboard.board import history, overall, pair_counts, pair_key, ratings, snapshots, standings
from leaderboard.models import RecentBoard, RecentRating
from leaderboard.rating import elo
from providers import cache
from providers.models import ImageModel
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def models():
    return [make.make_model(name=name) for name in ("Ash", "Birch", "Cedar")]


@pytest.fixture
def category():
    return make.make_category()


def by_model(rows):
    return {standing.rating.image_model.name: standing.rating.elo for standing in rows}


# ------------------------------------------------------------------------------------------------- the last 90 days


def test_the_last_ninety_days_are_a_board_of_their_own_beside_that_of_all_votes(category, models):
    ash, birch, cedar = models
    cast(category, models, 200, strengths={ash: 2.0, birch: 0.0, cedar: 0.0}, days_ago=90)
    assert ratings.recompute(category)
    assert standings.windows(category) == ["all", "90d"]
    assert standings.board(category, "90d") == []
    cast(category, models, 150, strengths={ash: 0.0, birch: 2.0, cedar: 0.0}, days_ago=89)
    assert ratings.recompute(category)
    ever, recent = standings.board(category), standings.board(category, window="90d")
    assert [sum(row.rating.votes for row in rows) / 2 for rows in (ever, recent)] == [350, 150]
    assert recent[0].rating.image_model == birch
    assert by_model(ever)["Ash"] > by_model(recent)["Ash"] + 100
    category.refresh_from_db()
    assert (standings.about(category).votes, standings.about(category, "90d").votes) == (350, 150)
    alone = elo.fit(
        elo.Cells.from_rows(
            (str(a), str(b), outcome, n) for a, b, outcome, n in pair_counts.cells(category, recent_since())
        )
    )
    for row in recent:
        assert row.rating.elo == pytest.approx(alone.elo[alone.models.index(str(row.rating.image_model_id))], abs=1e-6)
    assert standings.limit(category, "90d").from_votes > standings.limit(category).from_votes
    assert not ratings.recompute(category)


def recent_since():
    return timezone.now().date() - timedelta(days=89)


def test_a_day_that_leaves_the_window_moves_the_recent_board_though_no_vote_came(category, models):
    cast(category, models, 60, days_ago=89)
    cast(category, models, 60, seed=2)
    ratings.recompute(category)
    assert RecentBoard.objects.get().votes == 120
    yesterday = recent_since() - timedelta(days=1)
    RecentBoard.objects.update(since=yesterday)  # as if it had been made the day before
    assert ratings.recompute(category)
    assert RecentBoard.objects.get().since == recent_since()


def test_while_all_votes_are_recent_both_boards_are_the_same(category, models):
    cast(category, models, 90)
    ratings.recompute(category)
    numbers = ("image_model", "elo", "lower", "upper", "rank", "best", "voters", "status")
    assert sorted(RecentRating.objects.values_list(*numbers)) == sorted(category.ratings.values_list(*numbers))


def test_votes_of_unknown_date_have_no_last_ninety_days_and_dated_ones_do(category):
    old = (timezone.now() - timedelta(days=200)).isoformat()
    new = timezone.now().isoformat()
    dated = f"left,right,outcome,time\nA,B,left,{old}\nB,A,left,{new}\nA,B,left,{new}\n"
    load.import_votes(dated.encode(), category, "Elsewhere")
    ratings.recompute(category)
    assert [row.rating.votes for row in standings.board(category, "90d")] == [2, 2]
    load.import_votes(b"left,right,outcome\nA,B,left\n", category, "Elsewhere")
    assert ratings.recompute(category)
    category.refresh_from_db()
    assert standings.windows(category) == ["all"]
    assert standings.board(category, "90d") == []
    assert [row.rating.votes for row in standings.board(category)] == [4, 4]


# ------------------------------------------------------------------------------------------------ slices


def test_a_slice_is_the_board_of_the_votes_on_prompts_with_that_tag(category, models):
    ash, birch, cedar = models
    cast(category, models, 300, strengths={ash: 1.0, birch: 0.0, cedar: 0.0}, tags=["text", "city"])
    cast(category, models, 300, strengths={ash: -1.0, birch: 0.0, cedar: 0.0}, tags=["city"], seed=2)
    ratings.recompute(category)
    text, city = standings.slice(category, "text"), standings.slice(category, "city")
    assert (text.votes, city.votes) == (300, 600)
    assert text.standings[0].rating.image_model == ash
    assert sum(row.rating.votes for row in text.standings) == 600
    assert {row.rating.status for row in text.standings} == {"provisional"}  # 200 votes each
    ever = by_model(standings.board(category))
    for name, rating in by_model(city.standings).items():
        assert rating == pytest.approx(ever[name], abs=1e-6)


def test_too_few_votes_make_no_slice_and_say_how_many_it_takes(category, models):
    cast(category, models, overall.MIN_VOTES - 1, tags=["rare"])
    board = standings.slice(category, "rare")
    assert (board.votes, board.needed, board.standings) == (overall.MIN_VOTES - 1, overall.MIN_VOTES, [])
    assert standings.slice(category, "nowhere").votes == 0


# ------------------------------------------------------------------------------------------------ all categories


def test_the_overall_board_weighs_categories_alike_whatever_their_votes(models):
    ash, birch, cedar = models
    busy, quiet = make.make_category("busy"), make.make_category("quiet")
    cast(busy, models, 1500, strengths={ash: 0.8, birch: 0.0, cedar: 0.0})
    cast(quiet, models, 300, strengths={ash: -0.8, birch: 0.0, cedar: 0.0}, seed=2)
    for source in (busy, quiet):
        ratings.recompute(source)
    board = standings.overall()
    assert (board.categories, board.votes) == ([busy, quiet], 1800)
    assert abs(by_model(board.standings)["Ash"] - 1000) < 40  # a plain sum of the votes would put it near +80
    for row in board.standings:
        one, other = (source.ratings.get(image_model=row.rating.image_model) for source in (busy, quiet))
        assert one.se < row.rating.se < other.se
        assert row.rating.votes == one.votes + other.votes


def test_fewer_than_two_categories_with_enough_votes_make_no_overall_board(category, models):
    cast(category, models, 300)
    few = make.make_category("few")
    cast(few, models, 299, seed=2)
    imported = make.make_category("imported")
    load.import_votes(b"left,right,outcome\n" + b"A,B,left\nA,B,right\n" * 200, imported, "Elsewhere")
    for source in (category, few, imported):
        ratings.recompute(source)
    board = standings.overall()
    assert (board.categories, board.standings) == ([category], [])


def test_a_periodic_task_caches_the_overall_board_so_that_no_reader_counts_millions_of_pairs(models, monkeypatch):
    busy, quiet = make.make_category("busy"), make.make_category("quiet")
    for source in (busy, quiet):
        cast(source, models, 300)
        ratings.recompute(source)
    assert overall.refresh_pooled()
    assert not overall.refresh_pooled()  # nothing has moved
    cache.clear_process_caches()  # another process
    with CaptureQueriesContext(connection) as queries:
        assert standings.overall().votes == 600
    assert len(queries) == 1
    cast(busy, models, 60, seed=2)
    ratings.recompute(busy)
    assert not overall.refresh_pooled()  # it rests
    monkeypatch.setattr(overall, "CACHE_TIME", timedelta(0))
    monkeypatch.setattr(overall, "SHARE_OF_TIME", 1e9)
    overall.cache.put(None, "pooled", seconds=1)
    assert overall.refresh_pooled()
    assert standings.overall().votes == 660


def test_cells_of_many_models_come_back_as_they_were_counted(category):
    """Ids far apart and outcomes of every kind, through Postgres and through numpy."""
    models = [make.make_model(pk=pk) for pk in (1, 7, 100_000, 600_000_000)]
    expected = []
    for n, (left, right) in enumerate(permutations(models, 2), 1):
        outcome = pair_key.OUTCOMES[n % 4]
        Tally.objects.create(
            category=category, day=timezone.now(), left_model=left, right_model=right, outcome=outcome, n=n
        )
        expected.append((left.pk, right.pk, outcome, n))
    assert sorted(pair_counts.cells(category)) == sorted(expected)
    (counts,) = pair_counts.counts_by_category([category])
    assert sorted(counts.rows()) == sorted(expected)


# ------------------------------------------------------------------------------------------------ history


def test_history_is_one_query_and_outlives_a_change_of_name(category, models):
    cast(category, models, 120)
    ratings.recompute(category)
    first = snapshots.take(category)
    ImageModel.objects.filter(pk=models[0].pk).update(name="Ash, renamed")
    cast(category, models, 60, seed=4)
    second = snapshots.take(category)
    model = ImageModel.objects.get(pk=models[0].pk)
    with CaptureQueriesContext(connection) as queries:
        points = history.history(model, category)
    assert len(queries) == 1
    assert [point.snapshot for point in points] == [first.pk, second.pk]
    rating = next(row for row in second.ratings if row["slug"] == model.slug)
    shown = (points[1].elo, points[1].lower, points[1].upper)
    assert tuple(f"{elo:.6f}" for elo in shown) == (rating["elo"], rating["lower"], rating["upper"])
    assert history.history(make.make_model(), category) == []
