"""How beat and workers report that they are alive, and how of several beats one leads."""

from __future__ import annotations

import logging
import secrets
from time import monotonic
from typing import Any

import redis
from celery.beat import PersistentScheduler
from celery.signals import heartbeat_sent, worker_shutdown

from providers.connections import heartbeats, valkey_client

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two reports of a process
LEADER, LEASE_MILLISECONDS = "arena:beat:leader", 10_000

# Take the lease if it is free, prolong it if it is ours.
_LEAD = """
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
"""


class Scheduler(PersistentScheduler):
    """Celery's own, with two additions: it reports each look at the schedule, and looks only while it holds the lease.

    A second beat waits and takes over within ten seconds of the first one's death. Without Valkey there is nothing to
    lead: no message can be sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._token = secrets.token_hex(8)
        self._renewed_at = self._reported_at = float("-inf")
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until the next look."""
        try:
            if not self._leads():
                return 2.0
            delay = super().tick(*args, **kwargs)
            if monotonic() - self._reported_at >= EVERY:
                heartbeats.record_beat()
                self._reported_at = monotonic()
        except redis.RedisError as error:
            log.warning("Valkey does not answer (%s): beat waits.", error)
            return 2.0
        return min(float(delay), EVERY)

    def _leads(self) -> bool:
        if monotonic() - self._renewed_at < LEASE_MILLISECONDS / 4000:
            return True
        with valkey_client.connect() as valkey:
            leads = bool(valkey.eval(_LEAD, 1, LEADER, self._token, LEASE_MILLISECONDS))
        if leads:
            self._renewed_at = monotonic()
        return leads

    def close(self) -> None:
        """The next beat need not wait for the lease to end."""
        try:
            with valkey_client.connect() as valkey:
                if valkey.get(LEADER) == self._token.encode():
                    valkey.delete(LEADER)
        except redis.RedisError:
            log.info("The lease of beat ends by itself.")
        super().close()


_reported_at: dict[str, float] = {}


@heartbeat_sent.connect
def _worker_lives(sender: Any, **_: Any) -> None:
    name = str(sender.eventer.hostname)
    if monotonic() - _reported_at.get(name, float("-inf")) < EVERY:
        return
    _reported_at[name] = monotonic()
    try:
        heartbeats.record_worker(name)
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): this worker cannot report.", error)


@worker_shutdown.connect
def _worker_ends(sender: Any, **_: Any) -> None:
    for name in _reported_at:
        try:
            heartbeats.forget_worker(name)
        except redis.RedisError:
            log.info("Valkey does not answer: this worker will seem silent.")
