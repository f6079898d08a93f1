"""Whether this process answers, and whether what it needs does."""

from __future__ import annotations

import redis
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from providers.db import release_connection


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """{"database": "ok", "broker": "ok", "ratings": "ok"}, with status 503 and its reason when one does not answer.

    Ratings that could not be computed are reported, with status 200: the last good boards stand, and all else works.
    """
    parts = {"database": _database(), "broker": _broker()}
    ready = all(state == "ok" for state in parts.values())
    if apps.is_installed("leaderboard"):  # a process of the gateway has no boards
        parts["ratings"] = _ratings(parts["database"])
    return JsonResponse(parts, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        release_connection()  # the next request starts with a fresh connection instead of this broken one
        return f"does not answer: {type(error).__name__}"
    return "ok"


def _ratings(database: str) -> str:
    from leaderboard.board import health

    if database != "ok":
        return "unknown"
    try:
        return "; ".join(health.failures()) or "ok"
    except DatabaseError as error:  # before its first migration
        return f"unknown: {type(error).__name__}"


def _broker() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        return f"does not answer: {type(error).__name__}"
    return "ok"
