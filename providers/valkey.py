"""What all workers share about providers from second to second: small Lua scripts, each one atomic step in Valkey.

Nothing here is a fact – facts are in Postgres. When Valkey is away, everyone goes on alone: calls are made without
shared limits rather than not at all. The scripts read Valkey's own clock, so no two workers can disagree about it.
"""

from __future__ import annotations

import functools
import logging
from time import monotonic
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

PREFIX = "providers:"
TIMEOUT = 0.5  # seconds; a script takes well under a millisecond
REST = 2.0  # seconds without asking after Valkey failed: a dead host must not cost every call a timeout

_resting_until = 0.0


def run(script: str, keys: list[str], arguments: list[str | int | float]) -> Any:
    """The script's answer, or None when Valkey cannot be reached."""
    global _resting_until
    if monotonic() < _resting_until:
        return None
    try:
        return _registered(settings.REDIS_URL, script)([PREFIX + key for key in keys], arguments)
    except redis.RedisError as error:
        _resting_until = monotonic() + REST
        log.warning("Valkey does not answer (%s): providers are asked without limits shared between workers.", error)
        return None


@functools.cache
def _registered(url: str, script: str) -> Any:
    return _client(url).register_script(script)


@functools.cache
def _client(url: str) -> redis.Redis:
    # One retry at once: it replaces a pooled connection that a restart of Valkey has closed.
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


def disconnect() -> None:
    """Close the connections of this process, and forget that Valkey was away."""
    global _resting_until
    _resting_until = 0.0
    if _client.cache_info().currsize:
        _client(settings.REDIS_URL).close()
    _registered.cache_clear()
    _client.cache_clear()
