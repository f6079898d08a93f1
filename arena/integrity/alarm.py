"""Alarms of the ledger, each raised once a day: in the log, and to a webhook where there is one."""

from __future__ import annotations

import contextlib
import hashlib
import logging

import httpx
import redis
from django.conf import settings
from django.core.cache import cache

from . import ledger

log = logging.getLogger(__name__)

SILENT_SECONDS = 24 * 3600
STANDING = "integrity:alarms"  # in the cache: what the last look found
EXCLUDED = "integrity:excluded"  # likewise: votes of this week, those that do not count, and all
STANDING_SECONDS = 3600  # three looks that did not happen make it unknown


def raise_new() -> list[str]:
    """Log and send the alarms that were not raised within a day; returns them. One that stands under new numbers is the
    same alarm."""
    raised, current = [], ledger.current(ledger.ALARM_WEEKS)
    alarms, (cast, counted) = current.alarms, current.of_week(current.weeks[-1])
    with contextlib.suppress(redis.RedisError):
        cache.set_many({STANDING: alarms, EXCLUDED: (cast - counted, cast)}, STANDING_SECONDS)
    for text in alarms:
        subject = "".join(letter for letter in text if not letter.isdigit())
        try:
            is_new = cache.add(f"integrity:alarm:{hashlib.sha256(subject.encode()).hexdigest()}", 1, SILENT_SECONDS)
        except redis.RedisError:
            is_new = True  # rather twice than never
        if is_new:
            log.error("Integrity: %s", text)
            _send(text)
            raised.append(text)
    return raised


def standing() -> list[str] | None:
    """The alarms of the last look, without looking again, for which all votes of weeks are read; None: nobody
    looked within the hour, or the cache does not answer."""
    try:
        alarms: list[str] | None = cache.get(STANDING)
    except redis.RedisError:
        return None
    return alarms


def excluded() -> tuple[int, int] | None:
    """Of this week's votes in public categories: how many do not count, and all of them; None as `standing`."""
    try:
        votes: tuple[int, int] | None = cache.get(EXCLUDED)
    except redis.RedisError:
        return None
    return votes


def _send(text: str) -> None:
    if not settings.ALARM_WEBHOOK_URL:
        return
    try:
        httpx.post(
            settings.ALARM_WEBHOOK_URL, json={"text": f"{settings.SITE_NAME}: {text}"}, timeout=5
        ).raise_for_status()
    except httpx.HTTPError as error:
        log.error("The alarm's webhook did not take it: %s", type(error).__name__)
