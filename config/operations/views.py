"""The operator's page, and the same as figures for Prometheus."""

from __future__ import annotations

import hmac

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
from config.operations.state import SiteState


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
    gauge("store_writable", "1 while files can be stored").set(not site.store)
    queue = gauge("generations", "Unfinished generations", "status")
    for status in ("queued", "running", "storing"):
        queue.labels(status).set(site.queue.get(status, 0))
    gauge("oldest_due_seconds", "How long the oldest due generation has waited").set(
        site.oldest_due.total_seconds() if site.oldest_due else 0
    )
    failures = gauge("failed_calls_today", "Calls to providers that failed since midnight UTC", "outcome", "provider")
    for failure in site.failures:
        failures.labels(failure.outcome, failure.provider).set(failure.calls)
    gauge("spent_today_dollars", "Spent or reserved since midnight UTC").set(float(site.spent))
    if site.cap is not None:
        gauge("spend_cap_dollars", "DAILY_SPEND_CAP").set(float(site.cap))
    trouble = gauge("board_in_trouble", "1 while a board cannot be recomputed", "category")
    for board in site.boards:
        trouble.labels(board.category.slug).set(bool(board.trouble))
    gauge("drift_alarms", "Hosted models that seem to have changed").set(len(site.drifts))
    if site.integrity_alarms is not None:
        gauge("integrity_alarms", "Alarms of the ledger of votes, as of its last check").set(len(site.integrity_alarms))
    gauge("open_reports", "Reports that wait for a curator").set(site.open_reports)
    gauge("open_suggestions", "Suggestions that wait for a curator").set(site.open_suggestions)
    sizes = gauge("table_bytes", "Size of a table with its indexes", "table")
    for table in site.tables:
        sizes.labels(table.name).set(table.size)
    return registry
