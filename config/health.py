"""Whether this process answers, and whether what it needs does."""

from __future__ import annotations

import secrets

import redis
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.operations import partitions
from leaderboard.board import health
from providers.connections import clock, heartbeats, valkey_client
from providers.connections.database import release_connection
from providers.files import file_store


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """As `readiness`, with status 503 when a needed part does not answer."""
    ready, parts = readiness()
    return JsonResponse(parts, status=200 if ready else 503)


def readiness(parts: dict[str, str] | None = None) -> tuple[bool, dict[str, str]]:
    """Whether pages and API work, and the state of each part: "ok", or what is wrong with it.

    A part that pages can do without for now – ratings, partitions to come, beat, workers – is reported without making
    the process unready: the last good boards stand, and all else works. `parts` fills up meanwhile, so that who stops
    waiting sees which part hangs; the database is asked last, because only it can hang without a bound.
    """
    parts = {} if parts is None else parts
    for name, check in (("broker", _broker), ("store", _store), ("database", _database)):
        parts[name] = "does not answer yet"
        parts[name] = check()
    ready = all(state == "ok" for state in parts.values())
    parts["ratings"] = _ratings(parts["database"])
    parts["partitions"] = _partitions(parts["database"])
    parts |= _processes(parts["broker"])
    return ready, parts


def _database() -> str:
    """A temporary table is written, because a database on a full disk still answers reads."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '3s'")
            skew = clock.ahead()
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone() == (True,):
                return "is a replica, or still recovering"
            cursor.execute("CREATE TEMPORARY TABLE readyz (n int) ON COMMIT DROP")
            cursor.execute("INSERT INTO readyz SELECT generate_series(1, 10)")
            cursor.execute("DROP TABLE readyz")  # now: the caller's transaction may ask again
    except (DatabaseError, InterfaceError) as error:
        release_connection()  # the next request starts with a fresh connection instead of this broken one
        return f"does not answer: {type(error).__name__}"
    return clock.difference(skew) or "ok"


def _ratings(database: str) -> str:
    if database != "ok":
        return "unknown"
    try:
        return "; ".join(health.failures()) or "ok"
    except DatabaseError as error:  # before its first migration
        return f"unknown: {type(error).__name__}"


def _partitions(database: str) -> str:
    if database != "ok":
        return "unknown"
    try:
        return partitions.read().trouble or "ok"
    except DatabaseError as error:  # before its first migration
        return f"unknown: {type(error).__name__}"


def _broker() -> str:
    try:
        with valkey_client.connect() as client:
            client.set("readyz", secrets.token_hex(4), ex=60)
    except redis.RedisError as error:
        full = "maxmemory" in str(error)
        return "is full: maxmemory is reached" if full else f"does not answer: {type(error).__name__}"
    return "ok"


def _processes(broker: str) -> dict[str, str]:
    if broker != "ok":
        return {"beat": "unknown", "workers": "unknown"}
    try:
        state = heartbeats.state()
        alive = [report for report in heartbeats.workers() if not report.is_silent]
        if alive and not any(report.knows_secret for report in alive):
            state["workers"] = "have another SECRET_KEY than this machine"
        return state
    except redis.RedisError as error:
        return dict.fromkeys(("beat", "workers"), f"unknown: {type(error).__name__}")


def _store() -> str:
    return file_store.trouble() or "ok"
