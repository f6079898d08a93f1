"""/metrics: every gauge has the number that its name says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client import generate_latest

from arena.models import Category
from config.operations.provider_state import ProviderState
from config.operations.state import CappedSpending, Failure, SiteState, Table
from config.operations.views import registry
from leaderboard.board.health import Health
from leaderboard.models import Board
from providers.connections.heartbeats import WorkerReport

AT = datetime(2026, 11, 30, tzinfo=UTC)
SITE = SiteState(
    version="1.2", migrations=["arena.0099"], beat="ok", workers="silent", worker_reports=[], evicts="", store="",
    free_bytes=7, queue={"queued": 4, "storing": 2}, oldest_due=timedelta(minutes=2),
    providers=[ProviderState("fal", 5, timedelta(seconds=6), 3, 2, 1, timedelta(seconds=8))],
    failures=[Failure("timeout", "fal", 9)], spent=Decimal("1.5"), cap=Decimal(20),
    competitions=[CappedSpending("birds", Decimal("2.5"), Decimal(5))],
    boards=[Health(Category(slug="own"), Board(tallies_wrong=3, computed_at=AT), None, None, AT, "it stands")],
    drifts=[], integrity_alarms=["one", "two"], excluded=(12, 100), open_reports=6, open_suggestions=11,
    tables=[Table("arena_vote", 8192, 3)], partitions="",
)  # fmt: skip


def gauges(site: SiteState) -> dict[str, float]:
    lines = generate_latest(registry(site)).decode().splitlines()
    return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if x[0] != "#")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ('info{version="1.2"}', 1), ("migrations_missing", 1), ('alive{process="beat"}', 1),
        ('alive{process="workers"}', 0), ("store_writable", 1), ("store_free_bytes", 7),
        ('generations{status="queued"}', 4), ('generations{status="running"}', 0), ('generations{status="storing"}', 2),
        ("oldest_due_seconds", 120), ('provider_queued{provider="fal"}', 5),
        ('provider_oldest_due_seconds{provider="fal"}', 6), ('provider_calls{provider="fal"}', 3),
        ('provider_jobs{provider="fal"}', 2), ('provider_orphaned_jobs{provider="fal"}', 1),
        ('provider_oldest_job_seconds{provider="fal"}', 8),
        ('failed_calls_today{outcome="timeout",provider="fal"}', 9), ("spent_today_dollars", 1.5),
        ("spend_cap_dollars", 20), ('competition_spent_dollars{competition="birds"}', 2.5),
        ('competition_spend_cap_dollars{competition="birds"}', 5), ('board_in_trouble{category="own"}', 1),
        ('tallies_wrong{category="own"}', 3), ("drift_alarms", 0), ("integrity_alarms", 2),
        ('votes_this_week{counted="no"}', 12), ('votes_this_week{counted="yes"}', 88), ("open_reports", 6),
        ("open_suggestions", 11), ('table_bytes{table="arena_vote"}', 8192),
        ('board_time_seconds{category="own",part="ratings"}', AT.timestamp()),
        ('board_time_seconds{category="own",part="snapshot"}', AT.timestamp()),
    ],
)  # fmt: skip
def test_a_gauge(name, value):
    assert gauges(SITE)[f"arena_{name}"] == value


def test_what_is_not_known_has_no_gauge_and_what_does_not_wait_is_zero():
    known = gauges(SITE)
    idle = replace(
        SITE, oldest_due=None, providers=[ProviderState("fal", 0, None, 0, 0, 0, None)],
        boards=[Health(Category(slug="own"), None, None, None, None, "")],
    )  # fmt: skip
    assert gauges(idle)['arena_tallies_wrong{category="own"}'] == 0
    assert gauges(idle)['arena_provider_oldest_due_seconds{provider="fal"}'] == 0
    assert gauges(idle)["arena_oldest_due_seconds"] == 0
    assert gauges(idle)['arena_provider_oldest_job_seconds{provider="fal"}'] == 0
    unknown = gauges(replace(SITE, free_bytes=None, cap=None, integrity_alarms=None, excluded=None, store="read-only"))
    assert unknown["arena_store_writable"] == 0
    assert {name.partition("{")[0] for name in known.keys() - unknown.keys()} == {
        "arena_store_free_bytes", "arena_spend_cap_dollars", "arena_integrity_alarms", "arena_votes_this_week",
    }  # fmt: skip


@pytest.mark.parametrize(("knows_secret", "has_other"), [(True, 0), (False, 1)])
def test_a_workers_report(knows_secret, has_other):
    report = WorkerReport("celery@one", silence=4, ahead=0.5, knows_secret=knows_secret)
    seen = gauges(replace(SITE, worker_reports=[report]))
    label = '{worker="celery@one"}'
    assert seen[f"arena_worker_report_seconds{label}"] == 4
    assert seen[f"arena_worker_clock_ahead_seconds{label}"] == 0.5
    assert seen[f"arena_worker_has_other_secret{label}"] == has_other
