"""Signs of life of beat and of the workers, in Valkey, so that pages can report when one is silent.

Times are Valkey's own: no two machines can disagree about them. A process that hangs is as silent as a dead one.
"""

from __future__ import annotations

from providers.connections import valkey_client

BEAT, WORKERS = "arena:heartbeat:beat", "arena:heartbeat:workers"
SILENT_SECONDS = 30  # after which a process counts as dead
FORGOTTEN_SECONDS = 24 * 3600  # after which nobody expects a worker any more


def record_beat() -> None:
    """Beat has looked at its schedule. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        valkey.set(BEAT, valkey.time()[0], ex=FORGOTTEN_SECONDS)


def record_worker(name: str) -> None:
    """A worker is running. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        now = valkey.time()[0]
        valkey.zadd(WORKERS, {name: now})
        valkey.zremrangebyscore(WORKERS, "-inf", now - FORGOTTEN_SECONDS)


def forget_worker(name: str) -> None:
    """A worker has ended as it should. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        valkey.zrem(WORKERS, name)


def state() -> dict[str, str]:
    """ "beat" and "workers": "ok", or since when each is silent. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        now = valkey.time()[0]
        beat = valkey.get(BEAT)
        workers = valkey.zrange(WORKERS, 0, -1, desc=True, withscores=True)
    latest = max((int(at) for _, at in workers), default=None)
    return {"beat": _said(now, int(beat) if beat else None), "workers": _said(now, latest)}


def workers() -> list[tuple[str, int]]:
    """(name, seconds since its last report) of every worker that was seen within a day and has not said that it ends,
    the longest silent first. Raises redis.RedisError."""
    with valkey_client.connect() as valkey:
        now = valkey.time()[0]
        rows = valkey.zrange(WORKERS, 0, -1, withscores=True)
    return [(name.decode(), now - int(at)) for name, at in rows]


def _said(now: int, at: int | None) -> str:
    if at is None:
        return "has not been seen for a day"
    return "ok" if now - at <= SILENT_SECONDS else f"silent for {now - at} s"
