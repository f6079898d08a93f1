"""What a model page costs: few queries, few rows, few bytes."""

from __future__ import annotations

import gzip
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena import voting
from leaderboard.models import Board, Rating
from providers.models import Call, ImageModel, Offering
from providers.performance import summaries
from tests import factories as make
from tests.leaderboard.pages import text_of

from .played import recount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("played")]


QUERIES = 12


BYTES = 60_000


def test_a_new_board_shows_at_once_and_nothing_is_computed_twice(client, played):
    entry, other = played
    address = entry.image_model.get_absolute_url()
    before = text_of(client.get(address))
    with CaptureQueriesContext(connection) as warm:
        assert text_of(client.get(address)) == before
    assert not [query for query in warm.captured_queries if "arena_tally" in query["sql"]]
    for _ in range(4):
        voting.cast_vote(make.make_battle(left=entry, right=other), "right")
    recount(entry.prompt.competition.category)
    after = text_of(client.get(address))
    assert "7 votes in Text to image" in after
    assert "2 won, 0 tied, 5 lost" in after
    elo = Rating.objects.get(image_model=entry.image_model).elo
    assert f"{entry.image_model.name}: Elo {elo:.0f} (" in after


def test_the_page_stands_when_valkey_is_away(client, played, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/valkey.sock",
        }
    }
    assert played[1].image_model.name in text_of(client.get(played[0].image_model.get_absolute_url()))
    cache.close()


def crowd(models):
    """A board of many models with prices and calls, made of rows."""
    category = make.make_category()
    lab = make.make_model().lab
    made = ImageModel.objects.bulk_create(
        ImageModel(slug=f"model-{n}", name=f"Model number {n}", origin="catalog", lab=lab, modes=["text-to-image"])
        for n in range(models)
    )
    offerings = Offering.objects.bulk_create(
        Offering(image_model=model, provider=key, mode="text-to-image", endpoint=model.slug,
                 price=Decimal(2 * n + step) / 1000)
        for n, model in enumerate(made) for step, key in ((1, "fal"), (2, "replicate"))
    )  # fmt: skip
    Rating.objects.bulk_create(
        Rating(category=category, image_model=model, elo=1400 - 3 * n, lower=1380 - 3 * n, upper=1421 - 3 * n,
               rank=n + 1, rank_low=n + 1, rank_high=n + 1, votes=400, status="usable")
        for n, model in enumerate(made)
    )  # fmt: skip
    now = timezone.now()
    Board.objects.update_or_create(category=category, defaults={"computed_at": now})
    Call.objects.bulk_create(
        Call(offering=offering, caller="gateway", outcome="ok", started_at=now - timedelta(hours=n % 700),
             duration=timedelta(seconds=1 + n / 10), ttfb=timedelta(seconds=1))
        for n, offering in enumerate(offerings) for _ in range(6)
    )  # fmt: skip
    summaries.compute()
    summaries.compute()
    return made


def test_a_page_asks_few_queries_and_stays_small_whatever_the_size_of_the_board(client, played):
    made = crowd(200)
    for model in (made[7], played[0].image_model):
        address = model.get_absolute_url()
        with CaptureQueriesContext(connection) as cold:
            page = client.get(address).content
        with CaptureQueriesContext(connection) as warm:
            client.get(address)
        assert len(warm) <= QUERIES, [query["sql"][:120] for query in warm.captured_queries]
        assert len(cold) <= QUERIES, [query["sql"][:120] for query in cold.captured_queries]
        assert len(gzip.compress(page, 6)) <= BYTES
    for address in ("/providers/fal/", "/labs/sample-studio/"):
        with CaptureQueriesContext(connection) as asked:
            text_of(client.get(address))
        assert len(asked) <= QUERIES, address


def test_the_page_reads_each_call_a_few_times_also_where_postgres_counted_the_tables_while_they_were_empty(
    client, played
):
    """It then takes every join for one of a single row, and once met all calls with all calls: minutes for a page."""
    made = crowd(60)

    def rows_read(cursor):
        cursor.execute(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'providers_call'"
        )
        return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET relpages = 1, reltuples = 0"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
        )
        before = rows_read(cursor)
        assert client.get(made[7].get_absolute_url()).status_code == 200
        assert rows_read(cursor) - before < 10 * Call.objects.count()
