"""/admin/health/ and /metrics: how the whole site is, for the person who is woken at night."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from arena import voting
from arena.integrity import alarm
from arena.models import Competition, Generation, Vote
from config.operations import state
from leaderboard.board import image_records, pair_counts
from providers.connections import heartbeats
from providers.models import Offering, ProviderJob, Reservation
from tests import factories as make


def metrics(client: Client) -> list[str]:
    """The lines of /metrics; its token is `let-me-see`."""
    reply = client.get("/metrics", headers={"authorization": "Bearer let-me-see"})
    return reply.content.decode().splitlines()


def text_of(response: Any) -> str:
    """A page's words, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.django_db
def test_the_operators_page_names_what_is_wrong(admin_client, settings, tmp_path):
    make.make_generation()
    make.make_call(outcome="timeout", error="No answer", offering=make.make_offering(provider="fal"))
    yesterday = {"started_at": timezone.now() - timedelta(days=1)}
    make.make_call(outcome="timeout", error="No answer", offering=make.make_offering(provider="replicate"), **yesterday)
    page = admin_client.get("/admin/health/").content.decode()
    assert "has not been seen for a day" in page or "silent for" in page or ">ok<" in page
    assert "Generations queued" in page
    assert "fal: timeout" in page
    assert "replicate: timeout" not in page
    assert state.current().tables[0].name in page
    assert "not applied" not in page


@pytest.mark.django_db
def test_queue_calls_and_jobs_are_shown_by_provider_on_the_page_and_in_metrics(admin_client, settings):
    settings.METRICS_TOKEN = "let-me-see"
    now = timezone.now()
    accounts = ("simulated-fal", "simulated-bfl")
    settings.PROVIDERS |= {key: settings.PROVIDERS[key] | {"api_key": "simulated"} for key in accounts}
    model = make.make_model("sold-twice")
    dear, cheap = (
        make.make_offering(model, provider, price=price) for provider, price in zip(accounts, (1, "0.01"), strict=True)
    )
    for _ in range(2):
        make.make_generation(image_model=model)  # of its two sellers the cheaper one is asked first
    Generation.objects.update(due_at=now - timedelta(minutes=5))
    other = make.make_generation(image_model=make.make_offering(provider=cheap.provider).image_model)
    Generation.objects.filter(pk=other.pk).update(due_at=now - timedelta(minutes=3))
    late = {"submitted_at": now - timedelta(minutes=9), "lease_expires_at": now - timedelta(minutes=1)}
    held = {"submitted_at": now - timedelta(minutes=2), "lease_expires_at": now + timedelta(minutes=1)}
    for part, times in enumerate((late, held, held)):
        job = {"request_id": uuid4(), "attempt": 1, "part": part, "n": 1, "adapter": "fal", "ticket": {}}
        ProviderJob.objects.create(offering=dear, **job, **times)
    call = {"caller": "arena", "request_id": uuid4(), "attempt": 1, "n": 1, "made_at": now}
    Reservation.objects.create(offering=cheap, expires_at=now + timedelta(minutes=1), **call)

    minutes = {
        row.provider: row.oldest_due and row.oldest_due.total_seconds() // 60 for row in state.current().providers
    }
    assert minutes == {"simulated-bfl": 5, "simulated-fal": None}
    page = text_of(admin_client.get("/admin/health/"))
    assert re.search(r"simulated-bfl 3 0:05:\d\d 1 0 0 –", page)
    assert re.search(r"simulated-fal 0 – 0 3 1 0:09:\d\d", page)
    lines = metrics(admin_client)
    assert 'arena_provider_queued{provider="simulated-bfl"} 3.0' in lines
    assert 'arena_provider_jobs{provider="simulated-fal"} 3.0' in lines
    assert 'arena_provider_orphaned_jobs{provider="simulated-fal"} 1.0' in lines


@pytest.mark.django_db
def test_what_is_wrong_with_a_worker_is_shown_beside_its_name(admin_client, monkeypatch):
    reports = [
        heartbeats.WorkerReport("one@host", 2, version="1.2"),
        heartbeats.WorkerReport("two@host", 90, -600.0, False),
    ]
    monkeypatch.setattr(heartbeats, "workers", lambda: reports)
    page = text_of(admin_client.get("/admin/health/"))
    assert "one@host, 1.2 reported 2 s ago" in page
    assert "silent for 90 s , its clock is -600 s wrong , another SECRET_KEY than here , reported 90 s ago" in page


@pytest.mark.django_db
def test_a_valkey_that_drops_keys_is_named(admin_client, settings):
    assert state.current().evicts == ""
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.config_set("maxmemory-policy", "allkeys-lru")
        try:
            page = text_of(admin_client.get("/admin/health/"))
        finally:
            valkey.config_set("maxmemory-policy", "noeviction")
    assert "Valkey drops keys when it is full (allkeys-lru): set noeviction" in page


@pytest.mark.django_db
def test_what_nobody_sells_waits_for_nobody():
    make.make_generation(image_model=make.make_model("unsold"))
    Offering.objects.all().delete()
    assert [(row.provider, row.queued) for row in state.current().providers] == [("nobody sells it", 1)]


@pytest.mark.django_db
def test_ages_caps_disk_and_excluded_votes_are_shown(admin_client, settings):
    settings.METRICS_TOKEN = "let-me-see"
    battle = make.make_battle()
    competition = battle.prompt.competition
    Competition.everything.filter(pk=competition.pk).update(spend_cap=5)
    Generation.objects.filter(prompt=battle.prompt).update(spent="0.75")
    voting.cast_vote(battle, "left")
    Vote.objects.update(excluded_reason="by hand", excluded_rule="curator@1")  # and its tally is left as it was
    voting.cast_vote(make.make_battle(), "left")
    call_command("recompute_ratings", stdout=StringIO())
    pair_counts.check(every=timedelta(0))
    image_records.recount_moved()
    alarm.raise_new()

    page = text_of(admin_client.get("/admin/health/"))
    today = f"{timezone.now():%Y-%m-%d} \\d\\d:\\d\\d"
    assert f"Spent in {competition.slug} $1.500000 of $5.00" in page
    assert "1 of this week’s 2 votes do not count." in page
    assert re.search(r"File store ok, [\d.]+ [KMGTP]B free", page)
    board = page.partition(" Snapshot ")[2].partition(" Alarms ")[0]
    assert re.search(rf"found 1 wrong pair counts {today} {today} {today} {today}, 1 wrong –$", board)
    lines = metrics(admin_client)
    assert 'arena_votes_this_week{counted="no"} 1.0' in lines
    assert f'arena_competition_spent_dollars{{competition="{competition.slug}"}} 1.5' in lines
    assert any(line.startswith("arena_store_free_bytes ") for line in lines)
    slug = competition.category.slug
    assert f'arena_tallies_wrong{{category="{slug}"}} 1.0' in lines
    times = {line.partition("part=")[2].split('"')[1] for line in lines if line.startswith("arena_board_time_seconds{")}
    assert times == {"ratings", "recount", "records", "vote"}


@pytest.mark.django_db
def test_alarms_about_votes_stand_on_the_operators_page_and_in_metrics(admin_client, settings):
    settings.METRICS_TOKEN = "let-me-see"

    def alarms() -> list[str]:
        return [line for line in metrics(admin_client) if line.startswith("arena_integrity_alarms")]

    cache.delete_many([alarm.STANDING, alarm.EXCLUDED])
    assert "not looked at within the hour" in admin_client.get("/admin/health/").content.decode()
    assert alarms() == []
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    Vote.objects.update(cast_at=timezone.now() - timedelta(hours=1))  # and no watch has looked
    alarm.raise_new()
    alarm.raise_new()
    assert "The check of voters has been down since" in admin_client.get("/admin/health/").content.decode()
    assert alarms() == ["arena_integrity_alarms 1.0"]


@pytest.mark.django_db
def test_metrics_want_their_token_and_say_the_same(client, settings):
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "let-me-see"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    make.make_generation()
    reply = client.get("/metrics", headers={"authorization": "Bearer let-me-see"})
    lines = reply.content.decode().splitlines()
    assert 'arena_generations{status="queued"} 1.0' in lines
    assert "arena_migrations_missing 0.0" in lines
    assert any(line.startswith("arena_alive{") for line in lines)
