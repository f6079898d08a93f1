"""How the whole site is, as values: for the operator's page and for /metrics. A dozen index scans; nothing is counted
that grows with the number of votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone

from arena.generation import spend_cap
from arena.integrity import alarm
from arena.models import Generation, Report, Suggestion
from config.operations import partitions, provider_state
from config.operations.provider_state import ProviderState
from leaderboard.board import drift_watch, health
from leaderboard.models import Drift
from providers.connections import heartbeats, valkey_client
from providers.connections.heartbeats import WorkerReport
from providers.files import file_store
from providers.models import Call
from providers.spending import daily_cap


@dataclass(frozen=True)
class Failure:
    outcome: str
    provider: str
    calls: int


@dataclass(frozen=True)
class CappedSpending:
    """US dollars of an open competition with a cap; what is under way counts as what it is expected to cost."""

    slug: str
    spent: Decimal
    cap: Decimal


@dataclass(frozen=True)
class Table:
    name: str
    size: int  # bytes, with indexes
    rows: int  # as PostgreSQL estimates


@dataclass(frozen=True)
class SiteState:
    version: str
    migrations: list[str]  # that are not applied
    beat: str
    workers: str
    worker_reports: list[WorkerReport]
    evicts: str  # Valkey's policy, where it drops keys when it is full; "" when it drops none
    store: str  # "" when it can be written
    free_bytes: int | None  # of the store's disk; None where it has none of its own
    queue: dict[str, int]  # status → generations
    oldest_due: timedelta | None  # how long the oldest due generation has waited
    providers: list[ProviderState]  # those that have something to do
    failures: list[Failure]  # calls that failed today (UTC)
    spent: Decimal  # US dollars today
    cap: Decimal | None
    competitions: list[CappedSpending]
    boards: list[health.Health]
    drifts: list[Drift]  # hosted models that seem to have changed
    integrity_alarms: list[str] | None  # of the ledger of votes; None: nobody has looked within the hour
    excluded: tuple[int, int] | None  # likewise: of this week's votes those that do not count, and all
    open_reports: int
    open_suggestions: int
    tables: list[Table]
    partitions: str  # why battles of this or the next month are refused; "" where they have a place


def current() -> SiteState:
    """What an operator has to know, as of now; beat and workers are unknown while the broker is away."""
    now = timezone.now()
    try:
        processes, reports, evicts = heartbeats.state(), heartbeats.workers(), _eviction()
    except redis.RedisError:
        processes, reports = dict.fromkeys(("beat", "workers"), "unknown: the broker does not answer"), []
        evicts = ""
    unfinished = Generation.objects.exclude(status__in=("succeeded", "cancelled", "failed"))
    oldest = unfinished.filter(status="queued", due_at__lte=now).aggregate(at=Min("due_at"))["at"]
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    failed = (
        Call.objects.filter(started_at__gte=today).exclude(outcome="ok").values_list("outcome", "offering__provider")
    )
    plan = MigrationExecutor(connection)
    return SiteState(
        version=settings.VERSION,
        migrations=[str(step) for step, _ in plan.migration_plan(plan.loader.graph.leaf_nodes())],
        beat=processes["beat"],
        workers=processes["workers"],
        worker_reports=reports,
        evicts=evicts,
        store=file_store.trouble(),
        free_bytes=file_store.free_bytes(),
        queue=dict(unfinished.values_list("status").annotate(n=Count("pk")).order_by("status")),
        oldest_due=provider_state.age(now, oldest),
        providers=provider_state.of_all(now),
        failures=[
            Failure(*row)
            for row in failed.values_list("outcome", "offering__provider").annotate(n=Count("pk")).order_by("-n")[:20]
        ],
        spent=daily_cap.today(),
        cap=daily_cap.cap(),
        competitions=[
            CappedSpending(competition.slug, spent.total, competition.spend_cap or Decimal(0))
            for competition, spent in spend_cap.of_capped()
        ],
        boards=health.report(),
        drifts=drift_watch.alarms(),
        integrity_alarms=alarm.standing(),
        excluded=alarm.excluded(),
        open_reports=Report.objects.open().count(),
        open_suggestions=Suggestion.objects.filter(decided_at=None).count(),
        tables=_tables(),
        partitions=partitions.read().trouble,
    )


def _eviction() -> str:
    """Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        memory = valkey.info("memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    return policy if memory.get("maxmemory") and policy != "noeviction" else ""


def _tables() -> list[Table]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid), greatest(reltuples, 0)::bigint FROM pg_class "
            "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 12"
        )
        return [Table(*row) for row in cursor.fetchall()]
