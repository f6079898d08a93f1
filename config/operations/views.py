"""The operator's page, and the same as figures for Prometheus."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from config.operations import state
from config.operations.provider_state import ProviderState
from config.operations.state import SiteState
from leaderboard.board.health import Health

NewGauge = Callable[..., Gauge]  # name, text, labels


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """/admin/health/, for staff who may see calls."""
    if not request.user.has_perm("providers.view_call"):
        raise PermissionDenied
    context = {**admin.site.each_context(request), "title": "Health", "state": state.current()}
    return render(request, "admin/health.html", context)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """/metrics, with `Authorization: Bearer METRICS_TOKEN`; where no token is set, there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
    return HttpResponse(generate_latest(registry(state.current())), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def registry(site: SiteState) -> CollectorRegistry:
    """The state as gauges. They are computed on request, so any one process gives them for the whole site."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"arena_{name}", text, labels, registry=registry)

    gauge("info", "1, with the version", "version").labels(site.version).set(1)
    gauge("migrations_missing", "Migrations that are not applied").set(len(site.migrations))
    alive = gauge("alive", "1 while beat, and at least one worker, reported within 30 s", "process")
    alive.labels("beat").set(site.beat == "ok")
    alive.labels("workers").set(site.workers == "ok")
    seen = gauge("worker_report_seconds", "Since a worker's last report; above 30 it has died, or hangs", "worker")
    clocks = gauge("worker_clock_ahead_seconds", "By which a worker's clock is ahead of Valkey's", "worker")
    strangers = gauge("worker_has_other_secret", "1 for a worker whose SECRET_KEY is not ours", "worker")
    for report in site.worker_reports:
        seen.labels(report.name).set(report.silence)
        clocks.labels(report.name).set(report.ahead)
        strangers.labels(report.name).set(not report.knows_secret)
    gauge("store_writable", "1 while files can be stored").set(not site.store)
    if site.free_bytes is not None:
        gauge("store_free_bytes", "What the disk of the file store has left").set(site.free_bytes)
    queue = gauge("generations", "Unfinished generations", "status")
    for status in ("queued", "running", "storing"):
        queue.labels(status).set(site.queue.get(status, 0))
    gauge("oldest_due_seconds", "How long the oldest due generation has waited").set(
        site.oldest_due.total_seconds() if site.oldest_due else 0
    )
    _add_providers(gauge, site.providers)
    failures = gauge("failed_calls_today", "Calls to providers that failed since midnight UTC", "outcome", "provider")
    for failure in site.failures:
        failures.labels(failure.outcome, failure.provider).set(failure.calls)
    gauge("spent_today_dollars", "Spent or reserved since midnight UTC").set(float(site.spent))
    if site.cap is not None:
        gauge("spend_cap_dollars", "DAILY_SPEND_CAP").set(float(site.cap))
    spent = gauge("competition_spent_dollars", "Spent or expected of an open competition with a cap", "competition")
    caps = gauge("competition_spend_cap_dollars", "That cap", "competition")
    for competition in site.competitions:
        spent.labels(competition.slug).set(float(competition.spent))
        caps.labels(competition.slug).set(float(competition.cap))
    _add_boards(gauge, site.boards)
    gauge("drift_alarms", "Hosted models that seem to have changed").set(len(site.drifts))
    if site.integrity_alarms is not None:
        gauge("integrity_alarms", "Alarms of the ledger of votes, as of its last check").set(len(site.integrity_alarms))
    if site.excluded is not None:
        votes = gauge("votes_this_week", "Votes since Monday, as of the last check of the ledger", "counted")
        votes.labels("no").set(site.excluded[0])
        votes.labels("yes").set(site.excluded[1] - site.excluded[0])
    gauge("open_reports", "Reports that wait for a curator").set(site.open_reports)
    gauge("open_suggestions", "Suggestions that wait for a curator").set(site.open_suggestions)
    sizes = gauge("table_bytes", "Size of a table with its indexes", "table")
    for table in site.tables:
        sizes.labels(table.name).set(table.size)
    return registry


def _add_providers(gauge: NewGauge, providers: list[ProviderState]) -> None:
    queued = gauge("provider_queued", "Generations that would be sent to this provider next", "provider")
    oldest = gauge("provider_oldest_due_seconds", "How long the oldest due one of them has waited", "provider")
    calls = gauge("provider_calls", "Calls under way", "provider")
    jobs = gauge("provider_jobs", "Jobs that the provider has accepted and whose image is not stored yet", "provider")
    orphaned = gauge("provider_orphaned_jobs", "Of these, jobs whose worker died and that nobody awaits", "provider")
    oldest_job = gauge("provider_oldest_job_seconds", "Since the oldest of these jobs was accepted", "provider")
    for row in providers:
        queued.labels(row.provider).set(row.queued)
        oldest.labels(row.provider).set(row.oldest_due.total_seconds() if row.oldest_due else 0)
        calls.labels(row.provider).set(row.calls)
        jobs.labels(row.provider).set(row.jobs)
        orphaned.labels(row.provider).set(row.orphaned)
        oldest_job.labels(row.provider).set(row.oldest_job.total_seconds() if row.oldest_job else 0)


def _add_boards(gauge: NewGauge, boards: list[Health]) -> None:
    trouble = gauge("board_in_trouble", "1 while a board cannot be recomputed", "category")
    wrong = gauge("tallies_wrong", "Pair counts that the last recount found to differ from the votes", "category")
    times = gauge("board_time_seconds", "When each part of a board was last done, in Unix time", "category", "part")
    for health in boards:
        category, board = health.category.slug, health.board
        trouble.labels(category).set(bool(health.trouble))
        wrong.labels(category).set(board.tallies_wrong if board else 0)
        parts = {
            "ratings": board and board.computed_at,
            "recount": board and board.recounted_at,
            "records": health.records_at,
            "snapshot": health.snapshot_at,
            "vote": health.voted_at,
        }
        for part, at in parts.items():
            if at:
                times.labels(category, part).set(at.timestamp())
