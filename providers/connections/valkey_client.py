"""How Valkey is reached: within bounds, also while it hangs. redis-py's own default is eleven attempts of five seconds.

`connect` is for what is asked once and has to be known, `CooldownRetry` for the cache, which every page uses and can do
without: after a failure it is not tried for COOLDOWN seconds, and all values are misses at once.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

Result = TypeVar("Result")

TIMEOUT = 2.0  # seconds to connect, and to answer
CACHE_TIMEOUT = 1.0  # seconds, likewise
COOLDOWN = 5.0  # seconds


def connect() -> redis.Redis:
    """A client for a few commands. Commands raise redis.RedisError after TIMEOUT at the latest."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
    )


class CooldownRetry(Retry):
    """One retry at once of what failed, because a restart of Valkey closes pooled connections; none of what timed out.

    All connections of a process share one, so that the first that fails spares the others their timeouts.
    """

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1)
        self._unavailable_until = 0.0

    def __deepcopy__(self, memo: object) -> CooldownRetry:
        return self  # redis-py copies it for every connection

    def call_with_retry(
        self,
        do: Callable[[], Result],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Result:
        if monotonic() < self._unavailable_until:
            raise redis.ConnectionError("it failed a moment ago")
        try:
            return super().call_with_retry(do, fail, is_retryable or _is_connection_lost, with_failure_count)
        except (redis.ConnectionError, redis.TimeoutError):
            self._unavailable_until = monotonic() + COOLDOWN
            raise


def _is_connection_lost(error: Exception) -> bool:
    return isinstance(error, redis.ConnectionError)


def cache_options() -> dict[str, Any]:
    """OPTIONS of Django's cache in Valkey."""
    return {"socket_timeout": CACHE_TIMEOUT, "socket_connect_timeout": CACHE_TIMEOUT, "retry": CooldownRetry()}
