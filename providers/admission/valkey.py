"""State that all workers share about providers from second to second: small Lua scripts, each an atomic step in Valkey.

Nothing here is a fact – facts are in Postgres. When Valkey is not available, each worker goes on alone: calls are made
without shared limits rather than not at all. The scripts read Valkey's own clock, so no two workers can disagree about
it.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

PREFIX = "providers:"
TIMEOUT = 0.5  # seconds; a script takes well under a millisecond
COOLDOWN = 2.0  # seconds without a connection after Valkey failed: a dead host must not cost every call a timeout

_unavailable_until = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A script with its keys and arguments, to be run."""

    script: str
    keys: list[str]
    arguments: list[str | int | float] = field(default_factory=list)


def run(script: str, keys: list[str], arguments: list[str | int | float]) -> Any:
    """The script's answer, or None when Valkey cannot be reached."""
    return run_all(Step(script, keys, arguments))[0]


def run_all(*steps: Step) -> list[Any]:
    """The answers of several scripts in one round trip, in this order; None each when Valkey cannot be reached."""
    global _unavailable_until
    if monotonic() < _unavailable_until:
        return [None] * len(steps)
    try:
        with _pipeline() as pipeline:
            for step in steps:
                sha = hashlib.sha1(step.script.encode(), usedforsecurity=False).hexdigest()
                pipeline.evalsha(sha, len(step.keys), *(PREFIX + key for key in step.keys), *step.arguments)
            answers = pipeline.execute(raise_on_error=False)
        return [_known_script(step, answer) for step, answer in zip(steps, answers, strict=True)]
    except redis.RedisError as error:
        _unavailable_until = monotonic() + COOLDOWN
        log.warning("Valkey does not answer (%s): providers are called without limits shared between workers.", error)
        return [None] * len(steps)


def _known_script(step: Step, answer: Any) -> Any:
    """The answer; a script that Valkey does not know yet, or has forgotten over a restart, is sent in full."""
    if isinstance(answer, redis.exceptions.NoScriptError):
        keys = [PREFIX + key for key in step.keys]
        return _client(settings.REDIS_URL).eval(step.script, len(keys), *keys, *step.arguments)
    if isinstance(answer, redis.RedisError):
        raise answer
    return answer


def _pipeline() -> Any:
    with _creating:
        client = _client(settings.REDIS_URL)
    return client.pipeline(transaction=False)


_creating = threading.Lock()  # functools.cache lets two threads that come at once each create a client


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
    """Close the connections of this process, and try Valkey again at once."""
    global _unavailable_until
    _unavailable_until = 0.0
    if _client.cache_info().currsize:
        _client(settings.REDIS_URL).close()
    _client.cache_clear()
