"""Signs of life of beat and of the workers, in Valkey, so that pages can report when one is silent.

Times are Valkey's own: no two machines can disagree about them. A process that hangs is as silent as a dead one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from time import time
from typing import Any

from django.conf import settings

from providers.connections import valkey_client

BEAT, WORKERS = "arena:heartbeat:beat", "arena:heartbeat:workers"
DETAILS = "arena:heartbeat:details"  # a hash: worker → JSON
SILENT_SECONDS = 30  # after which a process counts as dead
MAX_AHEAD = 5.0  # seconds by which a worker's clock may differ from Valkey's
FORGOTTEN_SECONDS = 24 * 3600  # after which nobody expects a worker any more


def record_beat() -> None:
    """Beat has looked at its schedule. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        valkey.set(BEAT, valkey.time()[0], ex=FORGOTTEN_SECONDS)


@dataclass(frozen=True)
class WorkerReport:
    """What a worker said last; an earlier release says nothing about its clock, its secret, its version, its log."""

    name: str
    silence: int  # seconds since then
    ahead: float = 0.0  # seconds by which its clock is ahead of Valkey's
    knows_secret: bool = True  # its SECRET_KEY is ours, or one of our fallbacks
    version: str = ""
    log_fault: str = ""  # why its log cannot be written

    @property
    def is_silent(self) -> bool:
        """It has died, or hangs."""
        return self.silence > SILENT_SECONDS

    @property
    def has_wrong_clock(self) -> bool:
        return abs(self.ahead) > MAX_AHEAD

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, in words."""
        faults = {
            f"silent for {self.silence} s": self.is_silent,
            f"its clock is {self.ahead:+.0f} s wrong": self.has_wrong_clock,
            "another SECRET_KEY than here": not self.knows_secret,
            f"its log cannot be written: {self.log_fault}": bool(self.log_fault),
        }
        return [text for text, holds in faults.items() if holds]


def record_worker(name: str) -> None:
    """A worker is running, with this clock, secret and version. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        now, microseconds = valkey.time()
        ahead = time() - now - microseconds / 1e6
        details = {
            "ahead": round(ahead, 1), "secret": _fingerprint(settings.SECRET_KEY), "version": settings.VERSION,
            "log_fault": next(filter(None, (getattr(handler, "fault", "") for handler in logging.root.handlers)), ""),
        }  # fmt: skip
        valkey.hset(DETAILS, name, json.dumps(details))
        valkey.zadd(WORKERS, {name: now})
        valkey.zremrangebyscore(WORKERS, "-inf", now - FORGOTTEN_SECONDS)


def forget_worker(name: str) -> None:
    """A worker has ended as it should. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        valkey.zrem(WORKERS, name)
        valkey.hdel(DETAILS, name)


def state() -> dict[str, str]:
    """ "beat" and "workers": "ok", or since when each is silent. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        now = valkey.time()[0]
        beat = valkey.get(BEAT)
        workers = valkey.zrange(WORKERS, 0, -1, desc=True, withscores=True)
    latest = max((int(at) for _, at in workers), default=None)
    return {"beat": _said(now, int(beat) if beat else None), "workers": _said(now, latest)}


def workers() -> list[WorkerReport]:
    """Of every worker that was seen within a day and has not said that it ends, the longest silent first. Raises
    redis.RedisError."""
    with valkey_client.connect() as valkey:
        now = valkey.time()[0]
        rows = valkey.zrange(WORKERS, 0, -1, withscores=True)
        details = valkey.hgetall(DETAILS)
        if gone := set(details) - {name for name, _ in rows}:
            valkey.hdel(DETAILS, *gone)
    known = {_fingerprint(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)}
    return [_report(name.decode(), now - int(at), json.loads(details.get(name, b"{}")), known) for name, at in rows]


def _report(name: str, silence: int, details: dict[str, Any], known: set[str]) -> WorkerReport:
    if not details:
        return WorkerReport(name, silence)
    is_known = details["secret"] in known
    return WorkerReport(name, silence, details["ahead"], is_known, details["version"], details.get("log_fault", ""))


def _fingerprint(secret: str) -> str:
    """What says whether two secrets are the same, and nothing else about them."""
    return hmac.new(secret.encode(), b"arena:heartbeat", hashlib.sha256).hexdigest()[:16]


def _said(now: int, at: int | None) -> str:
    if at is None:
        return "has not been seen for a day"
    return "ok" if now - at <= SILENT_SECONDS else f"silent for {now - at} s"
