"""Boards of prompts with a tag: who makes them, when, and who waits for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.models import Vote
from leaderboard import cache
from leaderboard.board import by_tag, image_records, ratings, standings
from tests import factories as make
from tests.leaderboard.pages import text_of
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db

NIGHT = "/leaderboard/text-to-image/?tag=night"


def three_models():
    models = [make.make_model(name=name) for name in ("Ash", "Birch", "Cedar")]
    category = make.make_category()
    more(category, models, 300)
    return category, models


@pytest.fixture(scope="module")
def shared_models(shared_rows):
    return shared_rows.make(three_models)


@pytest.fixture
def category_and_models(shared_rows, shared_models):
    return shared_rows.lend(shared_models)


@pytest.fixture
def category(category_and_models):
    return category_and_models[0]


@pytest.fixture
def models(category_and_models):
    return category_and_models[1]


@pytest.fixture
def many(monkeypatch):
    """Every tag has so many votes that its board takes the periodic task."""
    monkeypatch.setattr(by_tag, "QUICK_VOTES", 0)
    monkeypatch.setattr(by_tag, "QUICK", 0.0)


def more(category, models, count, seed=1, tag="night"):
    cast(category, models, count, tags=[tag], seed=seed)
    ratings.recompute(category)
    image_records.recount(category, force=True)
    category.refresh_from_db()


def numbers(board):
    return [(row.rating.image_model_id, row.rating.elo, row.rating.votes) for row in board.standings]


# ------------------------------------------------------------------------------------------------ few votes


def test_a_slice_is_cached_until_votes_come_and_no_longer_than_a_minute_then(category, models, monkeypatch):
    monkeypatch.setattr(by_tag, "QUICK", 600.0)  # however busy this machine is
    first = standings.slice(category, "night")
    with CaptureQueriesContext(connection) as queries:
        assert numbers(standings.slice(category, "night")) == numbers(first)
    assert len(queries) == 0
    more(category, models, 30, seed=3)
    assert numbers(standings.slice(category, "night")) == numbers(first)
    monkeypatch.setattr(by_tag, "CACHE_TIME", timedelta(0))
    assert standings.slice(category, "night").votes == 330


def test_a_tag_has_its_own_head_to_head(client, category, models):
    ash, birch, _ = models
    cast(category, [ash, birch], 200, strengths={ash: -3.0, birch: 3.0}, tags=["day"], seed=5)
    ratings.recompute(category)
    image_records.recount(category, force=True)
    page = text_of(client.get(NIGHT))
    votes = Vote.objects.filter(battle__prompt__tags__contains=["night"])
    between = votes.filter(left_model__in=(ash, birch), right_model__in=(ash, birch))
    points = sum(
        {"tie": 0.5, "both_bad": 0.5}.get(vote.outcome, (vote.outcome == "left") == (vote.left_model_id == ash.pk))
        for vote in between
    )
    assert f"Ash gets {100 * points / len(between):.0f}% of {len(between)} votes against Birch" in page
    assert "3 of 3 pairs have met, in 300 votes" in " ".join(page.split())
    assert "votes against Cedar" in page
    filtered = text_of(client.get("/leaderboard/text-to-image/?tag=day"))
    assert "1 of 1 pairs have met, in 200 votes" in " ".join(filtered.split())


# ------------------------------------------------------------------------------------------------ many votes


def test_the_first_reader_of_many_votes_looks_again_and_a_periodic_task_computes_the_board(client, category, many):
    response = client.get(NIGHT)
    page = text_of(response, 202)
    assert "is being computed" in page
    assert response["Cache-Control"] == "no-store"
    assert re.search(r'<noscript><meta http-equiv="refresh"', page)
    file = client.get("/leaderboard/text-to-image.csv?tag=night")
    assert (file.status_code, file["Retry-After"]) == (503, "5")
    assert by_tag.refresh() == 1
    assert by_tag.refresh() == 0  # no vote came in since
    page = text_of(client.get(NIGHT))
    assert "300 votes · " in page
    assert "Only votes on prompts tagged “night” count here" in page
    assert "is being computed" not in page
    assert len(text_of(client.get("/leaderboard/text-to-image.csv?tag=night")).splitlines()) == 4


def test_readers_get_the_last_good_board_and_a_periodic_task_recomputes_it(category, models, many, monkeypatch):
    assert standings.slice(category, "night", votes_about=300) is None
    by_tag.refresh()
    first = standings.slice(category, "night", votes_about=300)
    assert first.votes == 300
    more(category, models, 60, seed=2)
    monkeypatch.setattr(by_tag, "CACHE_TIME", timedelta(0))
    assert numbers(standings.slice(category, "night")) == numbers(first)
    assert by_tag.refresh() == 1
    again = standings.slice(category, "night")
    assert again.votes == 360
    assert again.made_at > first.made_at


def test_the_periodic_task_pauses_for_what_nobody_waits_for_and_never_for_what_somebody_does(
    category, models, many, monkeypatch
):
    standings.slice(category, "night", votes_about=300)
    by_tag.refresh()
    monkeypatch.setattr(by_tag, "CACHE_TIME", timedelta(0))
    monkeypatch.setattr(by_tag, "SHARE_OF_TIME", 1e-6)  # what took milliseconds is followed by an hour of rest
    more(category, models, 30, seed=2)
    assert by_tag.refresh() == 1
    more(category, models, 30, seed=3, tag="day")
    assert by_tag.refresh() == 0
    assert standings.slice(category, "day", votes_about=30) is None
    assert by_tag.refresh() == 1  # “day” alone
    assert standings.slice(category, "day").votes == 30
    assert standings.slice(category, "night").votes == 330


def test_what_nobody_asks_for_any_more_is_made_no_more_and_still_there(category, models, many, monkeypatch):
    standings.slice(category, "night", votes_about=300)
    by_tag.refresh()
    monkeypatch.setattr(by_tag, "CACHE_TIME", timedelta(0))
    monkeypatch.setattr(by_tag, "WINDOW", 0.0)
    more(category, models, 30, seed=2)
    assert by_tag.refresh() == 0
    assert standings.slice(category, "night").votes == 300


def test_no_number_of_tags_fills_the_memory(category, models, monkeypatch):
    monkeypatch.setattr(by_tag, "MAX_TAGS", 2)
    for tag in ("night", "a", "b"):
        assert standings.slice(category, tag) is not None
    assert cache.get("tag", category.pk, "night") is None
    assert cache.get("tag", category.pk, "b") is not None


def test_a_reader_computes_the_board_where_the_periodic_task_does_not(category, many, monkeypatch):
    assert standings.slice(category, "night", votes_about=300) is None
    monkeypatch.setattr(by_tag, "TIMEOUT", 0.0)
    assert standings.slice(category, "night", votes_about=300).votes == 300


def test_without_valkey_every_reader_makes_the_board(category, many, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert standings.slice(category, "night", votes_about=300).votes == 300
    assert by_tag.refresh() == 0
