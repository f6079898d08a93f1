"""How the site itself is: for people; machines ask /readyz."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from leaderboard.board import health
from providers.connections import heartbeats


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    report = health.report()
    try:
        silent = [name for name, state in heartbeats.state().items() if state != "ok"]
    except RedisError:
        silent = ["beat", "workers"]
    context = {
        "report": report,
        "troubled": [check for check in report if check.trouble],
        "version": settings.VERSION,
        "silent": silent,
    }
    return render(request, "leaderboard/status.html", context)
